"""Keeps memory in mappings that it shares with its children.

Shared pages are counted once, but counted.
"""

import mmap

EXPECTED = ["out_of_memory", "crashed"]


def train(model, task):
    maps = []
    while True:
        maps.append(mmap.mmap(-1, 2**26))
        maps[-1].write(bytes(2**26))
