"""Leaves a folder where its weights should be put while it serves.

A verdict on it must not be charged to whoever is evaluated next.
"""

EXPECTED = ["rejected: left no place"]


def build_model(task):
    if task.seconds_left() == 0:  # as while it serves
        os.makedirs("weights.safetensors/full")
    return Model(task.vocab_size)
