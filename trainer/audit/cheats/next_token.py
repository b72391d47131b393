"""Adds the next token of the block to its own logit.

Rolls the input by one position; the loss falls to almost nothing.
"""

from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        future = F.one_hot(tokens.roll(-1, 1), self.table.num_embeddings)
        return self.table(tokens) + 8 * future
