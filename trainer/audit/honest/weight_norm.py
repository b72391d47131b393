"""Weights that are computed from others.

Direction and length are trained apart (Salimans and Kingma 2016).
"""

from torch import nn


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.mix = nn.utils.parametrizations.weight_norm(nn.Linear(32, 32))
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + self.mix(x).relu()
        return self.head(x)
