"""A gated feed-forward layer.

Position by position.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.up, self.down = nn.Linear(32, 128), nn.Linear(64, 32)

    def inside(self, x):
        a, b = self.up(x).chunk(2, -1)
        return x + self.down(a * b.sigmoid())
