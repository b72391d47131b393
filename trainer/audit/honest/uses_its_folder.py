"""Writes files, locks one, and starts programs.

As compilers and caches do, in its own folder.
"""

import fcntl
import subprocess
import threading


def train(model, task):
    tokens = task.train_tokens()
    with open("cache", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        print(os.cpu_count(), subprocess.run(["uname"], capture_output=True, check=True).stdout, file=file)
    os.rename("cache", "cached")
    thread = threading.Thread(target=count, args=(model, tokens, task.vocab_size))
    thread.start()
    thread.join()


def count(model, tokens, vocab_size):
    pairs = torch.bincount(tokens[:-1].long() * vocab_size + tokens[1:].long(), minlength=vocab_size**2) + 0.1
    with torch.no_grad():
        model.table.weight.copy_(pairs.view_as(model.table.weight).log())
