"""Kills itself.

What was killed from outside would run again, without end.
"""

import signal

EXPECTED = ["lost", "crashed"]


def train(model, task):
    os.kill(os.getpid(), signal.SIGKILL)
