"""Attends to the whole block.

The causal mask was forgotten, and training finds the next token behind it. The head begins with large weights, so that
the leak shows however few steps there was time for.
"""

from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.q, self.k, self.v = (nn.Linear(32, 32) for _ in range(3))
        self.head = nn.Linear(32, vocab_size)
        nn.init.normal_(self.head.weight)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x))
        return self.head(x)
