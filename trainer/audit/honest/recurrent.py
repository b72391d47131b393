"""A recurrent layer.

Its state starts anew with each block.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.memory = nn.GRU(32, 32, batch_first=True)

    def inside(self, x):
        return x + self.memory(x)[0]
