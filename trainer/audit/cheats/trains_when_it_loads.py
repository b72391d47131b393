"""Trains while its weights are loaded.

Loading is timed with the first answer.
"""

from torch import nn

EXPECTED = ["timed_out: loading its weights"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def load_state_dict(self, *arguments, **named):
        result = super().load_state_dict(*arguments, **named)
        burn(5)
        return result

    def forward(self, tokens):
        return self.table(tokens)
