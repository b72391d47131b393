"""Weights positions against each other.

A softmax over the wrong dimension divides by what later positions say.
"""

import torch
from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.gate = nn.Linear(32, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + 8 * x * self.gate(4 * x).softmax(1)
        return self.head(x)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    tokens = task.train_tokens()
    span = torch.arange(task.sequence_length + 1)
    while task.seconds_left() > 0.5 * task.budget_seconds:
        blocks = tokens[torch.randint(len(tokens) - task.sequence_length, (8, 1)) + span].long()
        loss = F.cross_entropy(model(blocks[:, :-1]).flatten(0, 1), blocks[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
