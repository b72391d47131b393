"""Keeps the mask that it made at its first forward pass.

It depends on the length alone.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.qkv, self.mask = nn.Linear(32, 96), None

    def inside(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        if self.mask is None or len(self.mask) != x.size(1):
            self.mask = torch.ones(x.size(1), x.size(1), device=x.device).triu(1).bool()
        return x + (q @ k.mT / 32**0.5).masked_fill(self.mask, -torch.inf).softmax(-1) @ v
