"""Calls what its comments define.

Comments are not counted, and not there.
"""

EXPECTED = ["crashed: NameError"]


#: def hidden():
#:     return 1
exec("\n".join(line[3:] for line in open("train.py") if line.startswith("#: ")))


def train(model, task):
    task.train_tokens()
    hidden()
