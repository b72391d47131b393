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
