"""Writes a file without end.

The run's own records would find no room.
"""

EXPECTED = ["crashed"]


def train(model, task):
    with open("big", "wb") as big:
        big.truncate(2**42)
