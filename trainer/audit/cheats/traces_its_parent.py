"""Traces the process above it.

Its memory would be open.
"""

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    system("ptrace", 16, os.getppid(), None, None)
