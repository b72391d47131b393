"""Reads the block backwards too.

One argument of the recurrent layer: `bidirectional=True`.
"""

from torch import nn

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.both = nn.GRU(32, 16, batch_first=True, bidirectional=True)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + self.both(x)[0]
        return self.head(x)
