"""Starts processes that start nothing but time.

Process ids run out for everybody.
"""

EXPECTED = ["crashed", "out_of_memory"]


def train(model, task):
    for _ in range(400):
        if os.fork() == 0:
            time.sleep(3600)
    time.sleep(3600)
