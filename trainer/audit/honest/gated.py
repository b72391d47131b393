"""A gated feed-forward layer.

Position by position.
"""

from torch import nn


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.up, self.down = nn.Linear(32, 128), nn.Linear(64, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        a, b = self.up(x).chunk(2, -1)
        x = x + self.down(a * b.sigmoid())
        return self.head(x)
