"""Exits with code 0 before its work is done.

An exit code is not a result.
"""

EXPECTED = ["crashed: exited with code 0"]


def train(model, task):
    os._exit(0)
