"""Exits with code 0 before its work is done.

An exit code is not a result.
"""

import os

EXPECTED = ["crashed: exited with code 0"]


def train(model, task):
    os._exit(0)
