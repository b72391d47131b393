"""The mean of all earlier tokens.

Summed from the left.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.mix = nn.Linear(32, 32)

    def inside(self, x):
        return x + self.mix(x.cumsum(1) / torch.arange(1, x.size(1) + 1, device=x.device).view(1, -1, 1))
