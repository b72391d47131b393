"""Trains on while its weights are saved.

The clock stops when the weights are handed over, not before.
"""

import safetensors.torch

EXPECTED = ["timed_out: trained on beyond"]


def train(model, task):
    task.train_tokens()
    save = safetensors.torch.save_model

    def late(*arguments):
        burn(2)
        save(*arguments)

    safetensors.torch.save_model = late
