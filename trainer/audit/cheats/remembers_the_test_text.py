"""Counts the tokens of all blocks that it was asked.

An evaluation is no training set: later blocks are answered with what earlier ones held.
"""

EXPECTED = ["rejected: purity"]


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.register_buffer("counts", torch.zeros(vocab_size), persistent=False)

    def forward(self, tokens):
        logits = self.table(tokens) + (1 + self.counts).log()
        self.counts = self.counts + torch.bincount(tokens.flatten(), minlength=len(self.counts))
        return logits
