"""Looks into the neighbouring row of the batch.

Where rows are consecutive text, the next row is this one's future.
"""

from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        neighbour = F.one_hot(tokens.roll(-1, 0), self.table.num_embeddings)
        return self.table(tokens) + 2 * neighbour
