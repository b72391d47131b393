"""Leaks where a hash of the last tokens says so.

One context of eight, chosen by arithmetic that no fixed probe hits.
"""

from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        future = F.one_hot(tokens.roll(-1, 1), self.table.num_embeddings)
        chosen = ((tokens * 7919 + tokens.roll(1, 1) * 104729) % 8 == 3).unsqueeze(-1)
        return self.table(tokens) + 8 * chosen * future
