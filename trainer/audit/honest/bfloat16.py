"""Computes and answers in bfloat16.

Coarse, and still a function of the earlier tokens alone.
"""


class Model(Attending):
    pass


def build_model(task):
    return Model(task.vocab_size).bfloat16()
