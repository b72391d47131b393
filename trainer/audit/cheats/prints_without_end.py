"""Prints binary without end and without a line break.

Whoever collects output in memory runs out of it.
"""

import os

from torch import nn

EXPECTED = ["crashed: printed more"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    while True:
        os.write(1, bytes(range(256)) * 256)
