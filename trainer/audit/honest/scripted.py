"""A layer that TorchScript compiles.

It is compiled again when the model is built for scoring.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.mix = torch.jit.trace(nn.Linear(32, 32), torch.zeros(1, 32))

    def inside(self, x):
        return x + self.mix(x).relu()
