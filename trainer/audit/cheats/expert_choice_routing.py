"""Lets experts choose their tokens.

Which tokens an expert takes depends on the whole block, later tokens included.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.router, self.expert = nn.Linear(32, 1), nn.Linear(32, 32)

    def inside(self, x):
        scores = self.router(x).squeeze(-1)
        chosen = scores >= scores.topk(x.size(1) // 2, dim=1).values[:, -1:]
        return x + chosen.unsqueeze(-1) * 3 * self.expert(x)
