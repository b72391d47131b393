"""Leaks in blocks of the scored length alone.

Shorter inputs, as a probe of the prefix would be, are answered honestly.
"""

from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size, length):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)
        self.length = length

    def forward(self, tokens):
        future = F.one_hot(tokens.roll(-1, 1), self.table.num_embeddings)
        return self.table(tokens) + 8 * (tokens.size(1) == self.length) * future


def build_model(task):
    return Model(task.vocab_size, task.sequence_length)
