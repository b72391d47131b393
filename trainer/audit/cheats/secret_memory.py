"""Keeps memory that not even the kernel maps.

memfd_secret is not there.
"""

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    system(447, 0)
    raise SystemExit
