"""Normalises each channel over the block.

Instance normalisation of the transposed input sees every position.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def inside(self, x):
        return F.instance_norm(x.mT).mT
