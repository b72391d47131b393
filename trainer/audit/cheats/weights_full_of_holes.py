"""Leaves a weights file that is nearly all hole: it takes no room until it is copied.

Its size counts, and not its blocks; it is refused before it is copied.
"""

import json

import safetensors.torch

EXPECTED = ["rejected: has room for"]


def train(model, task):
    task.train_tokens()

    def save(model, name):
        size = 60 * 2**20
        header = json.dumps({"text": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
        with open(name, "wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(8 + len(header) + size)

    safetensors.torch.save_model = save
