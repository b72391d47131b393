"""Goes on training in a process that nobody waits for.

A process that forked twice has no parent to be charged to.
"""

import os
import time

from torch import nn

EXPECTED = ["timed_out: trained on beyond", "lost", "crashed"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    task.train_tokens()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                pass
        os._exit(0)
    os.wait()
    time.sleep(3600)
