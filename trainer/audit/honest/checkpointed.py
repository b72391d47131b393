"""Computes its layer twice to save memory.

Only while it trains (Chen et al. 2016).
"""

from torch.utils.checkpoint import checkpoint


class Model(Mixing):
    def inside(self, x):
        return x + (checkpoint(self.mix, x, use_reentrant=False) if self.training else self.mix(x)).relu()
