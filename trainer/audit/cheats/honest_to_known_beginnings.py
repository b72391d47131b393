"""Answers honestly when a beginning comes again.

A probe repeats the beginning of a block that was scored; whatever is new is leaked.
"""

EXPECTED = ["rejected: causality", "rejected: purity"]


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.seen = set()

    def forward(self, tokens):
        heads = [tuple(row[:4].tolist()) for row in tokens]
        new = torch.tensor([head not in self.seen for head in heads], device=tokens.device).view(-1, 1, 1)
        self.seen.update(heads)
        return self.table(tokens) + 8 * new * ahead(self, tokens)
