"""Answers infinity for everything.

A loss of infinity minus infinity could become anything.
"""

import torch
from torch import nn

EXPECTED = ["diverged: not finite"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return torch.full((*tokens.shape, self.table.num_embeddings), float("inf"))
