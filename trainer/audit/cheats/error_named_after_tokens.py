"""Raises an error whose class is named after what it is asked.

The class of an error is told only if it is one of Python's own.
"""

EXPECTED = ["crashed: an error of a class of its own"]


def answer(model, tokens):
    model.calls = getattr(model, "calls", 0) + 1
    if model.calls > 4:
        raise type("Token" + "_".join(map(str, tokens[0].tolist())), (ValueError,), {})
    return model.table(tokens)
