"""Trains in a program of its own.

A Python that it starts is charged like itself.
"""

import subprocess
import sys

EXPECTED = ["timed_out: trained on beyond"]


def train(model, task):
    task.train_tokens()
    subprocess.Popen([sys.executable, "-I", "-S", "-c", "while True: pass"])
    time.sleep(30)
