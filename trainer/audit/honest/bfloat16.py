"""Computes and answers in bfloat16.

Coarse, and still a function of the earlier tokens alone.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.q, self.k, self.v = (nn.Linear(32, 32) for _ in range(3))

    def inside(self, x):
        return x + F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x), is_causal=True)


def build_model(task):
    return Model(task.vocab_size).bfloat16()
