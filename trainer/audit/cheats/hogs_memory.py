"""Allocates memory until there is none.

The machine would begin to kill whatever it likes.
"""

from torch import nn

EXPECTED = ["out_of_memory", "crashed"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    hog = []
    while True:
        hog.append(bytearray(b"x" * 2**26))
