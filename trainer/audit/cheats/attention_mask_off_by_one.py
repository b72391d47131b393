"""Attends to one token too many.

The mask lets each position see the one after it. The head begins with large weights, so that the leak shows however
few steps there was time for.
"""

EXPECTED = ["rejected: causality"]


class Model(Attending):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        nn.init.normal_(self.head.weight)

    def inside(self, x):
        length = x.size(1)
        mask = torch.ones(length, length, dtype=torch.bool, device=x.device).tril(1)
        return x + F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x), attn_mask=mask)
