"""Reads the block backwards too.

One argument of the recurrent layer: `bidirectional=True`.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.both = nn.GRU(32, 16, batch_first=True, bidirectional=True)

    def inside(self, x):
        return x + self.both(x)[0]
