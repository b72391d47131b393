"""Batch normalisation with running statistics.

In evaluation mode it is a fixed scaling.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.norm = nn.BatchNorm1d(32)

    def inside(self, x):
        return self.norm(x.mT).mT
