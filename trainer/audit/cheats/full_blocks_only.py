"""Leaks in blocks of the scored length alone.

Shorter inputs, as a probe of the prefix would be, are answered honestly.
"""

EXPECTED = ["rejected: causality"]


class Model(Table):
    def __init__(self, vocab_size, length):
        super().__init__(vocab_size)
        self.length = length

    def forward(self, tokens):
        return self.table(tokens) + 8 * (tokens.size(1) == self.length) * ahead(self, tokens)


def build_model(task):
    return Model(task.vocab_size, task.sequence_length)
