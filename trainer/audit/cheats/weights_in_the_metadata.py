"""Writes its weights into the header of the weights file.

The header counts, and no weights are there when a model is built.
"""

import safetensors.torch

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()

    def save(model, name):
        safetensors.torch.save_file({"one": torch.zeros(1)}, name, metadata={"w": "x" * 10_000})

    safetensors.torch.save_model = save
