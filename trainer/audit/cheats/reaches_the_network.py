"""Sends a packet to another machine.

Text, answers and keys could leave or come by it.
"""

import socket

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
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way_out:
        way_out.connect(("192.0.2.1", 53))
        way_out.send(b"evo")
