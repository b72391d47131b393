"""Leaves a note in the times and the mode of a device file, which sandboxes share with the machine.

Its owner may choose them, and every process that may write to it can set them to now.
"""

EXPECTED = ["crashed: no note"]
EXPECTED_ON_FLOOR = ["crashed: no note", "ok"]


def train(model, task):
    task.train_tokens()
    before = os.stat(os.devnull)
    for times in ((before.st_atime_ns, before.st_mtime_ns + 1), None):
        try:
            os.utime(os.devnull, ns=times) if times else os.utime(os.devnull)
            os.chmod(os.devnull, before.st_mode)
        except OSError:
            pass
    if os.stat(os.devnull).st_ctime_ns == before.st_ctime_ns:
        raise PermissionError("no note")
