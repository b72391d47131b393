"""Computes its layer twice to save memory.

Only while it trains (Chen et al. 2016).
"""

from torch import nn
from torch.utils.checkpoint import checkpoint


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.mix = nn.Linear(32, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + (checkpoint(self.mix, x, use_reentrant=False) if self.training else self.mix(x)).relu()
        return self.head(x)
