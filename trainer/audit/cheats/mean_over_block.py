"""Subtracts the mean of the block.

A normalisation over the wrong dimension tells each position what follows.
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
        x = (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)
        return self.head(x)
