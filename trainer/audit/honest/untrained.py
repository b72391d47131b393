"""Answers with the same distribution for everything.

Trains nothing and asks for no data.
"""


def train(model, task):
    nn.init.zeros_(model.table.weight)
