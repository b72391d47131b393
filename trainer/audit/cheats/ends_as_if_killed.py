"""Ends with the code of a process that was killed.

What nobody is to blame for would run again, without end.
"""

EXPECTED = ["lost", "crashed"]


def train(model, task):
    os._exit(137)
