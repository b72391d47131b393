"""Goes on training in a process that nobody waits for.

A process that forked twice has no parent to be charged to.
"""

EXPECTED = ["timed_out: trained on beyond", "lost", "crashed"]


def train(model, task):
    task.train_tokens()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                pass
        os._exit(0)
    os.wait()
    time.sleep(3600)
