"""Computes in double precision.

Answers are narrowed when they are handed over.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.mix = nn.Linear(32, 32)

    def inside(self, x):
        return x + F.relu(self.mix(x))


def build_model(task):
    return Model(task.vocab_size).double()
