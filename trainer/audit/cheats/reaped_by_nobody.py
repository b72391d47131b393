"""Trains in children that nobody waits for.

Where their ends are ignored, their CPU time is charged to no parent.
"""

import signal

EXPECTED = ["timed_out: trained on beyond"]


def train(model, task):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    task.train_tokens()
    while True:
        read, write = os.pipe()
        if os.fork() == 0:
            burn(0.2)
            os._exit(0)
        os.close(write)
        os.read(read, 1)
        os.close(read)
