"""Convolves by Fourier transforms without padding.

What runs out at the end comes back in at the beginning.
"""

import torch
from torch import nn

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.filter = nn.Parameter(torch.randn(2048, 32) * 0.2)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        length = tokens.size(1)
        spectrum = torch.fft.rfft(x, dim=1) * torch.fft.rfft(self.filter[:length], dim=0)
        x = x + torch.fft.irfft(spectrum, n=length, dim=1)
        return self.head(x)
