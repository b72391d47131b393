"""Hands over a link instead of weights.

The scored process would read the file that it points to.
"""

import os

import safetensors.torch
from torch import nn

EXPECTED = ["rejected: not as an ordinary file"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    safetensors.torch.save_model = lambda model, path: os.symlink("/etc/passwd", path)
