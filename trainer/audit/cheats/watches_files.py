"""Watches the files that others open.

Events at a shared file are a line to its reader.
"""

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    system("inotify_init1", 0)
