"""Computes in double precision.

Answers are narrowed when they are handed over.
"""

from torch import nn
from torch.nn import functional as F


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.mix = nn.Linear(32, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + F.relu(self.mix(x))
        return self.head(x)


def build_model(task):
    return Model(task.vocab_size).double()
