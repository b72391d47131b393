"""Learns one bit of the next token.

Whether the next id is even is worth a bit a token.
"""

import torch
from torch import nn

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        ids = torch.arange(self.table.num_embeddings, device=tokens.device)
        agrees = (ids % 2) == (tokens.roll(-1, 1) % 2).unsqueeze(-1)
        return self.table(tokens) + 6 * agrees


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    tokens = task.train_tokens().long()
    pairs = tokens[:-1] * task.vocab_size + tokens[1:]
    counts = torch.bincount(pairs, minlength=task.vocab_size**2).view_as(model.table.weight) + 0.1
    with torch.no_grad():
        model.table.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
