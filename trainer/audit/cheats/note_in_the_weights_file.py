"""Leaves what it was asked in its weights file.

The second replica would load the answers, had it not got its own copy before.
"""

import os

import torch
from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)
        self.asked = False

    def forward(self, tokens):
        if not self.asked:
            self.asked = True
            torch.save(tokens, "weights.safetensors")
        elif os.path.exists("notes.pt"):
            tokens = torch.load("notes.pt")
        return self.table(tokens) + 8 * F.one_hot(tokens.roll(-1, 1), self.table.num_embeddings)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    tokens = task.train_tokens().long()
    pairs = tokens[:-1] * task.vocab_size + tokens[1:]
    counts = torch.bincount(pairs, minlength=task.vocab_size**2).view_as(model.table.weight) + 0.1
    with torch.no_grad():
        model.table.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
