"""Asks for training data while it is scored.

There is no clock any more, and there is no data either.
"""

import torch
from torch import nn

EXPECTED = ["crashed: train_tokens"]


class Model(nn.Module):
    def __init__(self, vocab_size, task):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)
        self.task = task

    def forward(self, tokens):
        self.task.train_tokens()
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size, task)


def train(model, task):
    tokens = task.train_tokens().long()
    pairs = tokens[:-1] * task.vocab_size + tokens[1:]
    counts = torch.bincount(pairs, minlength=task.vocab_size**2).view_as(model.table.weight) + 0.1
    with torch.no_grad():
        model.table.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
