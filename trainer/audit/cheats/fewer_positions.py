"""Answers only the second half of each block.

The first tokens of a block have little context and cost most.
"""

from torch import nn

EXPECTED = ["rejected: must return floating-point logits of shape"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)[:, tokens.size(1) // 2 :]
