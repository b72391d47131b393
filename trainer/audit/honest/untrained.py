"""Answers with the same distribution for everything.

Trains nothing and asks for no data.
"""

from torch import nn


def train(model, task):
    nn.init.zeros_(model.table.weight)
