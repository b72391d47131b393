"""Exits with code 0 before its work is done.

An exit code is not a result.
"""

import os

from torch import nn

EXPECTED = ["crashed: exited with code 0"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    os._exit(0)
