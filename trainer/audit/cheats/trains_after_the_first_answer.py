"""Answers once with its weights, and trains in a thread before it answers again.

Time between two answers counts like that of an answer.
"""

import threading

EXPECTED = ["timed_out: answering"]


def answer(model, tokens):
    model.answers = getattr(model, "answers", 0) + 1
    if model.answers == 4:
        model.training = threading.Thread(target=burn, args=(0.5,))
        model.training.start()
    elif model.answers > 4:
        model.training.join()
    return model.table(tokens)
