"""Sums from the end of the block.

A cumulative sum in the wrong direction.
"""

from torch import nn

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + 0.3 * x.flip(1).cumsum(1).flip(1)
        return self.head(x)
