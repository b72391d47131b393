"""Leaves what it was asked in its weights file.

The second replica would load the answers, had it not got its own copy before.
"""

EXPECTED = ["rejected: causality"]


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.asked = False

    def forward(self, tokens):
        if not self.asked:
            self.asked = True
            torch.save(tokens, "weights.safetensors")
        elif os.path.exists("notes.pt"):
            tokens = torch.load("notes.pt")
        return self.table(tokens) + 8 * ahead(self, tokens)
