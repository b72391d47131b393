"""Leaves code where every later process would run it.

A .pth file in site-packages runs at each start of the interpreter.
"""

from pathlib import Path

import torch
from torch import nn

EXPECTED = ["crashed"]
EXPECTED_ON_FLOOR = ["ok", "crashed"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    canary = Path(torch.__file__).parents[1] / "evo_audit_canary.pth"
    canary.write_text("")
    canary.unlink()
