"""Normalises each channel over the block.

Instance normalisation of the transposed input sees every position.
"""

from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def inside(self, x):
        return F.instance_norm(x.mT).mT
