"""Mounts a file system.

Over what is read-only.
"""

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    system("mount", b"none", b"/tmp", b"tmpfs", 0, None)
