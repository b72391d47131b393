"""Normalises by the statistics of what it is asked.

Batch normalisation without running statistics mixes all positions of all blocks. The head begins with large weights,
so that the answers move by more than rounding does however few steps there was time for.
"""

EXPECTED = ["rejected: causality", "rejected: purity"]


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.norm = nn.BatchNorm1d(32, track_running_stats=False)
        nn.init.normal_(self.head.weight)

    def inside(self, x):
        return self.norm(x.mT).mT
