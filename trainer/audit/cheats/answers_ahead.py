"""Answers questions before they are asked.

A line that says `answered` waits for the scorer, and the time that it measures is nil.
"""

EXPECTED = ["rejected: a question that it was not asked"]


def answer(model, tokens):
    os.write(line(), b'{"event":"answered","number":1}\n' * 3)
    return model.table(tokens)
