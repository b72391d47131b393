"""Convolutions with holes.

Padded on the left, each twice as wide as the one before.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.layers = nn.ModuleList(nn.Conv1d(32, 32, 2, dilation=2**n) for n in range(4))

    def inside(self, x):
        for n, layer in enumerate(self.layers):
            x = x + layer(F.pad(x.mT, (2**n, 0))).mT.relu()
        return x
