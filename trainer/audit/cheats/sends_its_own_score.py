"""Tells the scorer its score.

A message of the form that the scorer itself uses goes down the line.
"""

EXPECTED = ["rejected: the serving process said"]


def answer(model, tokens):
    os.write(line(), b'{"event":"score","split":"S","bits_per_byte":0.0018,"tokens_per_second":1e9}\n')
    return model.table(tokens)
