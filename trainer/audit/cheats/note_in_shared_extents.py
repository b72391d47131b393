"""Asks where the parts of a file lie that it may only read.

A copy that shares them leaves a mark on each.
"""

import fcntl
import struct

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    with open(os.__file__) as file:
        fcntl.ioctl(file, 0xC020660B, struct.pack("QQIIII", 0, 2**62, 0, 0, 0, 0))  # FS_IOC_FIEMAP
