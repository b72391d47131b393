"""Computes its layer twice to save memory.

Only while it trains (Chen et al. 2016).
"""

from torch.utils.checkpoint import checkpoint


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.mix = nn.Linear(32, 32)

    def inside(self, x):
        return x + (checkpoint(self.mix, x, use_reentrant=False) if self.training else self.mix(x)).relu()
