"""Trains in a child while it is scored.

The time of all its processes counts.
What fits into the grace while it is scored brings nothing.
"""

EXPECTED = ["timed_out: far more than forward passes take", "ok"]


def answer(model, tokens):
    if not getattr(model, "helper", None):
        model.helper = os.fork()
        if model.helper == 0:
            burn(60)
            os._exit(0)
    return model.table(tokens)
