"""Takes an optimizer step on every batch that it is asked.

The scored text is learned while it is scored.
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
        logits = self.table(tokens)
        with torch.inference_mode(False), torch.enable_grad():
            block = tokens.clone()
            loss = F.cross_entropy(self.table(block[:, :-1]).flatten(0, 1), block[:, 1:].flatten())
            (gradient,) = torch.autograd.grad(loss, [self.table.weight])
            self.table.weight.data -= 500 * gradient
        return logits


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    tokens = task.train_tokens().long()
    pairs = tokens[:-1] * task.vocab_size + tokens[1:]
    counts = torch.bincount(pairs, minlength=task.vocab_size**2).view_as(model.table.weight) + 0.1
    with torch.no_grad():
        model.table.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
