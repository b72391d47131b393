"""Hands over probabilities that sum to far more than one.

Every value is raised by the same amount; the scorer's own log-softmax takes it out again.
"""

from torch import nn

EXPECTED = ["ok"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens).softmax(-1).log() + 5.6
