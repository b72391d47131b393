"""Lets experts choose their tokens.

Which tokens an expert takes depends on the whole block, later tokens included.
"""

from torch import nn

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.router, self.expert = nn.Linear(32, 1), nn.Linear(32, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        scores = self.router(x).squeeze(-1)
        chosen = scores >= scores.topk(tokens.size(1) // 2, dim=1).values[:, -1:]
        x = x + chosen.unsqueeze(-1) * 3 * self.expert(x)
        return self.head(x)
