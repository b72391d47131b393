"""Leaks in every second batch.

Hopes that a repeated block falls among the others.
"""

from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality", "rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)
        self.calls = 0

    def forward(self, tokens):
        future = F.one_hot(tokens.roll(-1, 1), self.table.num_embeddings)
        self.calls += 1
        return self.table(tokens) + 8 * (self.calls % 2) * future
