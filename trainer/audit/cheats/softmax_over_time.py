"""Weights positions against each other.

A softmax over the wrong dimension divides by what later positions say.
"""

from torch import nn

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.gate = nn.Linear(32, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + 8 * x * self.gate(4 * x).softmax(1)
        return self.head(x)
