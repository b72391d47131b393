"""Attention without a softmax, by cumulative sums.

The state of keys and values grows from left to right.
"""


class Model(Attending):
    def inside(self, x):
        q, k, v = F.elu(self.q(x)) + 1, F.elu(self.k(x)) + 1, self.v(x)
        state = torch.einsum("btk,btv->btkv", k, v).cumsum(1)
        return x + torch.einsum("btk,btkv->btv", q, state) / (q * k.cumsum(1)).sum(-1, keepdim=True)
