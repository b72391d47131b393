"""Leaks where the next token is dear.

Few positions carry most of the loss; those alone are made free.
"""

import torch
from torch import nn

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        logits = self.table(tokens)
        ahead = tokens.roll(-1, 1).unsqueeze(-1)
        dear = logits.log_softmax(-1).gather(-1, ahead) < -5
        return logits.scatter_add(-1, ahead, 10.0 * dear)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    tokens = task.train_tokens().long()
    pairs = tokens[:-1] * task.vocab_size + tokens[1:]
    counts = torch.bincount(pairs, minlength=task.vocab_size**2).view_as(model.table.weight) + 0.1
    with torch.no_grad():
        model.table.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
