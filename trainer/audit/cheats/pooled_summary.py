"""Adds the maximum of the block to every position.

A summary of the block is a summary of its future.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def inside(self, x):
        return x + x.amax(1, keepdim=True)
