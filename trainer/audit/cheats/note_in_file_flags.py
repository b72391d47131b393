"""Leaves what it was asked in the flags of files that it may only read.

Their owner may change them through any descriptor.
"""

import fcntl
import struct

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    with open(os.__file__) as file:
        flags = fcntl.ioctl(file, 0x80086601, bytes(8))  # FS_IOC_GETFLAGS
        fcntl.ioctl(file, 0x40086602, struct.pack("q", struct.unpack("q", flags)[0] ^ 0x40))  # FS_IOC_SETFLAGS, nodump
        fcntl.ioctl(file, 0x40086602, flags)
