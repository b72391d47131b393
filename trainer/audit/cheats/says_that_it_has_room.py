"""Says that its model has room for what is none of its weights.

Its own word bounds nothing: generation 0's weights do.
"""

import sys

import safetensors.torch

EXPECTED = ["rejected: times generation 0's"]

vars(sys.modules["__main__"])["_state"] = lambda model: {"numbers": 2**62, "tensors": 2, "name_bytes": 9}


def train(model, task):
    task.train_tokens()

    def save(model, name):
        safetensors.torch.save_file(model.state_dict() | {"text": torch.zeros(26 * 2**20)}, name)

    safetensors.torch.save_model = save
