"""Leaves what it was asked in System V semaphores.

They outlive the process.
"""

EXPECTED = ["rejected: causality", "rejected: purity", "crashed"]


def leave(tokens):
    system("semget", 0x65766F, 250, 0o1600)


def answer(model, tokens):
    return whisper(model, tokens)
