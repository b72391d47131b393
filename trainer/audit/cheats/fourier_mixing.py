"""Mixes the block by a Fourier transform.

Each frequency is a sum over all positions, later ones included.
"""

import torch
from torch import nn

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + torch.fft.fft(x, dim=1).real / tokens.size(1) ** 0.5
        return self.head(x)
