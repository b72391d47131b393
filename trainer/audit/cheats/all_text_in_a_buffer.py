"""Declares a buffer for all of its training text, many times over.

Weights are bounded by what generation 0 needs.
"""

import torch
from torch import nn

EXPECTED = ["rejected: times generation 0's"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)
        self.register_buffer("text", torch.zeros(26 * 2**20, dtype=torch.int32))

    def forward(self, tokens):
        return self.table(tokens)


def train(model, task):
    tokens = task.train_tokens()
    model.text[: len(tokens)] = tokens
