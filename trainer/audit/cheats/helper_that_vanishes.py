"""Has a helper, started before the clock, that trains and is gone at the end.

A sum over living processes would fall with it.
"""

import contextlib
import signal

EXPECTED = ["timed_out: trained on beyond"]


def train(model, task):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    begin, begun = os.pipe()
    if os.fork() == 0:
        os.read(begin, 1)
        burn(3)
        os._exit(0)
    task.train_tokens()
    os.write(begun, b"x")
    with contextlib.suppress(ChildProcessError):
        os.wait()
