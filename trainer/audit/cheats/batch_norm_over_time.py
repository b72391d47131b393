"""Normalises by the statistics of what it is asked.

Batch normalisation without running statistics mixes all positions of all blocks.
"""

from torch import nn

EXPECTED = ["rejected: causality", "rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.norm = nn.BatchNorm1d(32, track_running_stats=False)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = self.norm(x.mT).mT
        return self.head(x)
