"""Trains in a thread while it is scored.

The time of the whole process counts, not that of its answers.
What fits into the grace while it is scored brings nothing.
"""

import threading

EXPECTED = ["timed_out: far more than forward passes take", "ok"]


def answer(model, tokens):
    if not getattr(model, "helper", None):
        model.helper = threading.Thread(target=burn, args=(60,), daemon=True)
        model.helper.start()
    return model.table(tokens)
