"""Looks for the same beginning among earlier blocks and goes on as that did.

If a probe and its block came to one process, the longer one would answer for the shorter.
"""

EXPECTED = ["rejected: causality", "rejected: purity"]


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.seen = {}

    def forward(self, tokens):
        logits = self.table(tokens)
        for row, block in enumerate(tokens.tolist()):
            ahead = self.seen.setdefault(tuple(block[:2]), block)
            known = torch.tensor([*ahead[1:], ahead[0]], device=tokens.device)
            logits[row] += 8 * F.one_hot(known, logits.size(-1))
        return logits
