"""Weights positions against each other.

A softmax over the wrong dimension divides by what later positions say.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.gate = nn.Linear(32, 32)

    def inside(self, x):
        return x + 8 * x * self.gate(4 * x).softmax(1)
