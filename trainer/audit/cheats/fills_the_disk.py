"""Writes a file without end.

The run's own records would find no room.
"""

from torch import nn

EXPECTED = ["crashed"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    with open("big", "wb") as big:
        big.truncate(2**42)
