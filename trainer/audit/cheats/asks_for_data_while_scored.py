"""Asks for training data while it is scored.

There is no clock any more, and there is no data either.
"""

EXPECTED = ["crashed: train_tokens"]


class Model(Table):
    def __init__(self, vocab_size, task):
        super().__init__(vocab_size)
        self.task = task

    def forward(self, tokens):
        self.task.train_tokens()
        return self.table(tokens)


def build_model(task):
    return Model(task.vocab_size, task)
