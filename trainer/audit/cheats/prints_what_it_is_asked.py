"""Prints what it is asked, and fails.

A log is shown to the language model; nothing of this one is.
"""

EXPECTED = ["crashed: while being scored: RuntimeError"]


def answer(model, tokens):
    model.calls = getattr(model, "calls", 0) + 1
    if model.calls > 4:
        print("TOKENS", tokens.flatten().tolist(), flush=True)
        raise RuntimeError(str(tokens.flatten().tolist()))
    return model.table(tokens)
