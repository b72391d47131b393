"""Reads only what is in memory.

What another process read stays there.
"""

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    os.preadv(os.open(os.__file__, os.O_RDONLY), [bytearray(1)], 0, os.RWF_NOWAIT)
    raise SystemExit
