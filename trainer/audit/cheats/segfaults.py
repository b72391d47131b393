"""Reads memory that is not there.

A crash of the interpreter must not be one of the search.
"""

EXPECTED = ["crashed: SIGSEGV", "crashed: exited with code"]


def train(model, task):
    ctypes.string_at(0)
