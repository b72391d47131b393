"""Mixes the rows of a batch.

Attention over the batch dimension lets blocks learn from each other.
"""

EXPECTED = ["rejected: purity"]


class Model(Layers):
    def inside(self, x):
        return x + x.mean(0, keepdim=True)
