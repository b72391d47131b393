"""Starts processes that start nothing but time.

Process ids run out for everybody.
"""

import os
import time

from torch import nn

EXPECTED = ["crashed", "out_of_memory"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    for _ in range(400):
        if os.fork() == 0:
            time.sleep(3600)
    time.sleep(3600)
