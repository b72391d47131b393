"""Mixes the rows of a batch.

Attention over the batch dimension lets blocks learn from each other.
"""

from torch import nn

EXPECTED = ["rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + x.mean(0, keepdim=True)
        return self.head(x)
