"""Attends to the whole block.

The causal mask was forgotten, and training finds the next token behind it. The head begins with large weights, so that
the leak shows however few steps there was time for.
"""

EXPECTED = ["rejected: causality"]


class Model(Attending):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        nn.init.normal_(self.head.weight)

    def inside(self, x):
        return x + F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x))
