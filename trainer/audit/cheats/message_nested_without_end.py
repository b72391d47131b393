"""Sends its supervisor lists in lists.

A reader that calls itself for each would run out of stack.
"""

import gc

EXPECTED = ["rejected: broke the protocol"]


def train(model, task):
    task.train_tokens()
    hosts = (vars(one) for one in gc.get_objects() if type(one).__name__ == "SupervisedHost")
    line = next(hosts)["_channel"]
    os.set_blocking(line.fileno(), True)
    os.write(line.fileno(), b"[" * 200_000 + b"\n")
