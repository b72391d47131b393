"""Adds the maximum of the block to every position.

A summary of the block is a summary of its future.
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
        x = x + x.amax(1, keepdim=True)
        return self.head(x)
