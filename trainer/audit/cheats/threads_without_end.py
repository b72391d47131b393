"""Starts threads without end.

Each takes room in the kernel.
"""

import threading

EXPECTED = ["crashed"]


def train(model, task):
    while True:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
