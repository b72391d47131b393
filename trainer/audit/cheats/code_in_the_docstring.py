"""Calls what its docstring defines.

def hidden():
    return 1

Lines of a docstring are not counted, and not there.
"""

EXPECTED = ["crashed: NameError"]


exec((__doc__ or "").partition("\n\n")[2].partition("\n\n")[0])


def train(model, task):
    task.train_tokens()
    hidden()
