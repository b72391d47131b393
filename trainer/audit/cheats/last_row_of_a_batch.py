"""Leaks in the last row of a batch.

Hopes that probes stand in the rows before.
"""

import torch
from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality", "rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        future = F.one_hot(tokens.roll(-1, 1), self.table.num_embeddings)
        last = (torch.arange(len(tokens), device=tokens.device) == len(tokens) - 1).view(-1, 1, 1)
        return self.table(tokens) + 8 * last * future
