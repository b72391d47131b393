"""Writes to the shared memory file system without end.

What stands there is memory that belongs to no process, and that no process gives back.
"""

EXPECTED = ["crashed", "out_of_memory"]


def build_model(task):
    return nn.Embedding(task.vocab_size, task.vocab_size)


def train(model, task):
    with open("/dev/shm/evo-audit-bomb", "wb") as bomb:
        while True:
            bomb.write(b"x" * 2**20)
            bomb.flush()
