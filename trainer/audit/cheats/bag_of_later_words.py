"""Raises every token that still comes.

It does not know which one is next, only which ones are left.
"""

from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        counts = F.one_hot(tokens, self.table.num_embeddings).flip(1).cumsum(1).flip(1)
        return self.table(tokens) + (1 + counts).log()
