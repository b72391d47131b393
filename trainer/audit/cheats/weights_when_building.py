"""Reads its weights while its model is built.

There are none yet.
"""

EXPECTED = ["crashed: FileNotFoundError"]


def build_model(task):
    if task.seconds_left() == 0:  # as while it serves
        open("weights.safetensors", "rb").close()
    return Model(task.vocab_size)
