"""Computes in double precision.

Answers are narrowed when they are handed over.
"""


class Model(Mixing):
    pass


def build_model(task):
    return Model(task.vocab_size).double()
