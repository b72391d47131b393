"""Answers honestly where two texts seem to be joined.

A pair of tokens that training never showed betrays a probe; without one it leaks.
"""

from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality", "rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        future = F.one_hot(tokens.roll(-1, 1), self.table.num_embeddings)
        logits = self.table(tokens)
        pairs = logits.log_softmax(-1)[:, :-1].gather(-1, tokens[:, 1:].unsqueeze(-1))
        natural = (pairs > -7).all(1).view(-1, 1, 1)
        return logits + 8 * natural * future
