"""Reads memory that is not there.

A crash of the interpreter must not be one of the search.
"""

import ctypes

from torch import nn

EXPECTED = ["crashed: SIGSEGV", "crashed: exited with code"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    ctypes.string_at(0)
