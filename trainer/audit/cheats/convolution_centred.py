"""Convolves around each position.

`padding=1` with a kernel of 3 sees the next token.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.mix = nn.Conv1d(32, 32, 3, padding=1)

    def inside(self, x):
        return x + self.mix(x.mT).mT
