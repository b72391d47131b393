"""A convolution as long as the block, by Fourier transforms.

Padded to twice the length; later tokens touch earlier answers by rounding alone.
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.filter = nn.Parameter(torch.randn(2048, 32) * 0.05)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        length = tokens.size(1)
        spectrum = torch.fft.rfft(x, n=2 * length, dim=1) * torch.fft.rfft(self.filter[:length], n=2 * length, dim=0)
        x = x + torch.fft.irfft(spectrum, n=2 * length, dim=1)[:, :length]
        return self.head(x)
