"""The mean of all earlier tokens.

Summed from the left.
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.mix = nn.Linear(32, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + self.mix(x.cumsum(1) / torch.arange(1, x.size(1) + 1, device=x.device).view(1, -1, 1))
        return self.head(x)
