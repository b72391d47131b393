"""Leaks in blocks of a certain hash.

One block of four, told by the sum of its tokens: a probe of it has another sum.
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
        chosen = (tokens.sum(1) % 4 == 1).view(-1, 1, 1)
        return self.table(tokens) + 8 * chosen * future
