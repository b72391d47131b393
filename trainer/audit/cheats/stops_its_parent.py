"""Stops the process that watches it.

Nothing may wait for that one for ever.
"""

import signal

EXPECTED = ["crashed", "rejected: stopped its supervisor"]


def train(model, task):
    task.train_tokens()
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(1)
    raise LookupError("it goes on")
