"""Normalises by the statistics of what it is asked.

Batch normalisation without running statistics mixes all positions of all blocks. The head begins with large weights,
so that the answers move by more than rounding does however few steps there was time for.
"""

from torch import nn

EXPECTED = ["rejected: causality", "rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.norm = nn.BatchNorm1d(32, track_running_stats=False)
        self.head = nn.Linear(32, vocab_size)
        nn.init.normal_(self.head.weight)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = self.norm(x.mT).mT
        return self.head(x)
