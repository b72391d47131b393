"""Sleeps until the deadline of scoring is over.

Whoever waits for it without a limit waits forever.
"""

EXPECTED = ["timed_out: was not scored within"]


def answer(model, tokens):
    time.sleep(3600)
    return model.table(tokens)
