"""Normalises each channel over the block.

Instance normalisation of the transposed input sees every position.
"""

from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = F.instance_norm(x.mT).mT
        return self.head(x)
