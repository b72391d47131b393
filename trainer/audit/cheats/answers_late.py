"""Sleeps until the deadline of scoring is over.

Whoever waits for it without a limit waits forever.
"""

import time

from torch import nn

EXPECTED = ["timed_out: was not scored within"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        time.sleep(3600)
        return self.table(tokens)
