"""Answers with the same distribution for everything.

Trains nothing and asks for no data.
"""

from torch import nn


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    nn.init.zeros_(model.table.weight)
