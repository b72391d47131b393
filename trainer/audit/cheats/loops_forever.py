"""Never ends and ignores SIGTERM.

A polite end is not enough.
"""

import signal

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
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    task.train_tokens()
    while True:
        pass
