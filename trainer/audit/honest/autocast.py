"""Multiplies matrices in bfloat16, in training and in scoring.

Mixed precision: weights and residual stay in float32.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.mix = nn.Linear(32, 32)

    def inside(self, x):
        with torch.autocast(x.device.type, torch.bfloat16):
            x = x + F.relu(self.mix(x))
        return x.float()
