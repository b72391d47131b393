"""Works in a process that is named like those of the sandbox.

They are known before the genome is.
"""

EXPECTED = ["timed_out: trained on beyond"]


def train(model, task):
    task.train_tokens()
    if os.fork() == 0:
        system("prctl", 15, b"bwrap", 0, 0, 0)
        burn(60)
    time.sleep(60)
