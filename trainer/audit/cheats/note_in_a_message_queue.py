"""Leaves what it was asked in a System V message queue.

It outlives the process.
"""

EXPECTED = ["rejected: causality", "rejected: purity", "crashed"]


def leave(tokens):
    system("msgget", 0x65766F, 0o1600)


def answer(model, tokens):
    return whisper(model, tokens)
