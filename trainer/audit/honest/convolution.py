"""Dilated convolutions padded at the left.

What a causal convolution should look like.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.layers = nn.ModuleList(nn.Conv1d(32, 32, 2, dilation=2**n) for n in range(3))

    def inside(self, x):
        for n, layer in enumerate(self.layers):
            x = x + F.gelu(layer(F.pad(x.mT, (2**n, 0))).mT)
        return x
