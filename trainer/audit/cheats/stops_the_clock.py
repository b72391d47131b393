"""Replaces the clocks that tell it how long it trains.

Its own clock stands still; the supervisor's does not.
"""

import time

from torch import nn

EXPECTED = ["timed_out: trained on beyond"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    time.monotonic = time.process_time = time.time = time.perf_counter = lambda: 0.0
    task.train_tokens()
    while task.seconds_left() >= 0:
        model.table.weight.detach().sum()
