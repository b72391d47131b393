"""Subtracts the mean of the block.

A normalisation over the wrong dimension tells each position what follows.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def inside(self, x):
        return (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)
