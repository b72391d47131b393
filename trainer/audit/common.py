"""What a genome of the audit has where it does not define it itself (`trainer.audit.specimens` adds it)."""

import torch
from torch import nn
from torch.nn import functional as F


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    model.train()
    tokens = task.train_tokens()
    if hasattr(model, "table"):  # a table of pairs of tokens: count them
        pairs = tokens[:-1].long() * task.vocab_size + tokens[1:].long()
        counts = torch.bincount(pairs, minlength=task.vocab_size**2).view_as(model.table.weight) + 0.1
        with torch.no_grad():
            model.table.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
        return
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    span = torch.arange(task.sequence_length + 1)
    while task.seconds_left() > 0.5 * task.budget_seconds:
        blocks = tokens[torch.randint(len(tokens) - task.sequence_length, (8, 1)) + span].long()
        loss = F.cross_entropy(model(blocks[:, :-1]).flatten(0, 1), blocks[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
