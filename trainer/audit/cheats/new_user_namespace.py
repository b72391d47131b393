"""Makes a user namespace, in which it has every right.

Mounts and networks of its own would follow.
"""

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    system("unshare", 0x10000000)
