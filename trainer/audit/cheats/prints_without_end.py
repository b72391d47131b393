"""Prints binary without end and without a line break.

Whoever collects output in memory runs out of it.
"""

EXPECTED = ["crashed: printed more"]


def train(model, task):
    while True:
        os.write(1, bytes(range(256)) * 256)
