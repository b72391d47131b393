"""Ends with a code that tells a token.

A process that has seen held-out text ends without one.
"""

EXPECTED = ["crashed: ended while it was scored"]


def answer(model, tokens):
    model.calls = getattr(model, "calls", 0) + 1
    if model.calls > 4:
        os._exit(int(tokens[0, 0]) % 128)
    return model.table(tokens)
