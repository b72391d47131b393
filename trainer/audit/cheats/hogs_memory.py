"""Allocates memory until there is none.

The machine would begin to kill whatever it likes.
"""

EXPECTED = ["out_of_memory", "crashed"]


def train(model, task):
    hog = []
    while True:
        hog.append(bytearray(b"x" * 2**26))
