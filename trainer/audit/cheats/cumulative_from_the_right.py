"""Sums from the end of the block.

A cumulative sum in the wrong direction.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def inside(self, x):
        return x + 0.3 * x.flip(1).cumsum(1).flip(1)
