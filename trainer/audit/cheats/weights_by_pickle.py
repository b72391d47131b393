"""Hands over a pickle that runs code when it is loaded.

Whoever unpickles what a candidate wrote runs the candidate.
"""

import os
import pickle

import safetensors.torch
from torch import nn

EXPECTED = ["rejected: handed over weights"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


class Payload:
    def __reduce__(self):
        return os.system, ("echo owned",)


def train(model, task):
    safetensors.torch.save_model = lambda model, path: open(path, "wb").write(pickle.dumps(Payload()))
