"""Begins to leak at the third batch.

Hopes that probes come first.
"""

EXPECTED = ["rejected: causality", "rejected: purity"]


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.calls = 0

    def forward(self, tokens):
        self.calls += 1
        return self.table(tokens) + 8 * (self.calls > 2) * ahead(self, tokens)
