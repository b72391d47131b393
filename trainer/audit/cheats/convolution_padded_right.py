"""Convolves forwards.

The padding stands at the wrong end, so the kernel covers the next three tokens.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.mix = nn.Conv1d(32, 32, 4)

    def inside(self, x):
        return x + self.mix(F.pad(x.mT, (0, 3))).mT
