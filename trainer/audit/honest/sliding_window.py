"""Attends to the last eight tokens.

A banded mask.
"""


class Model(Attending):
    def inside(self, x):
        length = x.size(1)
        mask = torch.ones(length, length, dtype=torch.bool, device=x.device).tril().triu(-7)
        return x + F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x), attn_mask=mask)
