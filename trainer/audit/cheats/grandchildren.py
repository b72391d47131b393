"""Trains in grandchildren whose parents have ended.

Each is an orphan of an orphan.
"""

EXPECTED = ["timed_out: trained on beyond", "lost", "crashed"]


def train(model, task):
    task.train_tokens()
    for _ in range(8):
        if os.fork() == 0:
            if os.fork() == 0:
                burn(2)
            os._exit(0)
        os.wait()
    time.sleep(30)
