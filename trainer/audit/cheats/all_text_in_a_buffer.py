"""Declares a buffer for all of its training text, many times over.

Weights are bounded by what generation 0 needs.
"""

EXPECTED = ["rejected: times generation 0's"]


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.register_buffer("text", torch.zeros(26 * 2**20, dtype=torch.int32))


def train(model, task):
    tokens = task.train_tokens()
    model.text[: len(tokens)] = tokens
