"""Keeps memory in System V segments.

They outlive their process, and no process has them resident.
"""

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    system("shmget", 0, 2**30, 0o600)
