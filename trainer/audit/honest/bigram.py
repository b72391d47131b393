"""Counts pairs of tokens: the smallest thing that learns.

Ends long before its budget does.
"""

import torch
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
    tokens = task.train_tokens().long()
    pairs = tokens[:-1] * task.vocab_size + tokens[1:]
    counts = torch.bincount(pairs, minlength=task.vocab_size**2).view_as(model.table.weight) + 0.1
    with torch.no_grad():
        model.table.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
