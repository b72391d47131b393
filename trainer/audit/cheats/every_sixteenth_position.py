"""Leaks at one position of sixteen.

Hopes that a probe tries others.
"""

import torch
from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        future = F.one_hot(tokens.roll(-1, 1), self.table.num_embeddings)
        seldom = (torch.arange(tokens.size(1), device=tokens.device) % 16 == 5).view(1, -1, 1)
        return self.table(tokens) + 8 * seldom * future
