"""Hands over probabilities that sum to far more than one.

Every value is raised by the same amount; the scorer's own log-softmax takes it out again.
"""

EXPECTED = ["ok"]


def answer(model, tokens):
    return model.table(tokens).softmax(-1).log() + 5.6
