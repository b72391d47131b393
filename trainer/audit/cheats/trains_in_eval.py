"""Trains when it is put into evaluation mode.

That happens once before the weights, and once with them.
"""

EXPECTED = ["timed_out: loading its weights"]


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.evals = 0

    def eval(self):
        self.evals += 1
        if self.evals > 1:
            burn(5)
        return super().eval()
