"""Convolves forwards.

The padding stands at the wrong end, so the kernel covers the next three tokens.
"""

from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.mix = nn.Conv1d(32, 32, 4)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + self.mix(F.pad(x.mT, (0, 3))).mT
        return self.head(x)
