"""Hands over a link instead of weights.

The scored process would read the file that it points to.
"""

import safetensors.torch

EXPECTED = ["rejected: not as an ordinary file"]


def train(model, task):
    safetensors.torch.save_model = lambda model, path: os.symlink("/etc/passwd", path)
