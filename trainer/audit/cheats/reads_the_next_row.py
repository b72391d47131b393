"""Looks into the neighbouring row of the batch.

Where rows are consecutive text, the next row is this one's future.
"""

import torch
from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        neighbour = F.one_hot(tokens.roll(-1, 0), self.table.num_embeddings)
        return self.table(tokens) + 2 * neighbour


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    tokens = task.train_tokens().long()
    pairs = tokens[:-1] * task.vocab_size + tokens[1:]
    counts = torch.bincount(pairs, minlength=task.vocab_size**2).view_as(model.table.weight) + 0.1
    with torch.no_grad():
        model.table.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
