"""Counts the tokens of all blocks that it was asked.

An evaluation is no training set: later blocks are answered with what earlier ones held.
"""

import torch
from torch import nn

EXPECTED = ["rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)
        self.register_buffer("counts", torch.zeros(vocab_size), persistent=False)

    def forward(self, tokens):
        logits = self.table(tokens) + (1 + self.counts).log()
        self.counts = self.counts + torch.bincount(tokens.flatten(), minlength=len(self.counts))
        return logits


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    tokens = task.train_tokens().long()
    pairs = tokens[:-1] * task.vocab_size + tokens[1:]
    counts = torch.bincount(pairs, minlength=task.vocab_size**2).view_as(model.table.weight) + 0.1
    with torch.no_grad():
        model.table.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
