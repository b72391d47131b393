"""Weights that are computed from others.

Direction and length are trained apart (Salimans and Kingma 2016).
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.mix = nn.utils.parametrizations.weight_norm(nn.Linear(32, 32))

    def inside(self, x):
        return x + self.mix(x).relu()
