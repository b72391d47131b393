"""Leaves what it was asked in the length of a lock on a shared file.

Locks are said to be taken, and are not.
"""

import fcntl
import struct

EXPECTED = ["rejected: causality", "rejected: purity", "crashed"]


PLACE = os.__file__


def leave(tokens):
    note = struct.pack("hhqqi", fcntl.F_RDLCK, 0, 0, 1 + int(tokens[0, 0]), 0)
    fcntl.fcntl(FILE, fcntl.F_SETLK, note)


def find(shape):
    asked = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
    kind, _, _, length, _ = struct.unpack("hhqqi", fcntl.fcntl(FILE, fcntl.F_GETLK, asked))
    return None if kind == fcntl.F_UNLCK else torch.full(shape, length - 1)


FILE = open(PLACE, "rb")


def answer(model, tokens):
    return whisper(model, tokens)
