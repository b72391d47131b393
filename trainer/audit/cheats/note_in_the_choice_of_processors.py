"""Chooses the processors that it runs on, which others may read.

Other processes are there to be read at landlock alone, and there nothing is chosen.
"""

EXPECTED = ["crashed: LookupError"]
EXPECTED_ON_FLOOR = ["ok", "crashed"]


def train(model, task):
    task.train_tokens()
    if os.getppid() < 5:
        raise LookupError("no other process is there")
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
        os.write(writing, b"x")
        time.sleep(5)
    os.read(reading, 1)
    if os.sched_getaffinity(child) == os.sched_getaffinity(0):
        raise LookupError("none has chosen")
