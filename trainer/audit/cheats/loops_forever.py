"""Never ends and ignores SIGTERM.

A polite end is not enough.
"""

import signal

EXPECTED = ["timed_out: trained on beyond"]


def train(model, task):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    task.train_tokens()
    while True:
        pass
