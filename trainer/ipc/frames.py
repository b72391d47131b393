"""The shared memory through which a serving candidate gets tokens and hands back logits."""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_TOKEN_BYTES = 8
_LOGIT_BYTES = 4


@dataclass(frozen=True, slots=True)
class FrameShape:
    """Room for `batch` blocks of `length` tokens and their logits over `vocab_size` ids."""

    batch: int
    length: int
    vocab_size: int

    @property
    def token_bytes(self) -> int:
        """Bytes of the token area."""
        return self.batch * self.length * _TOKEN_BYTES

    @property
    def total_bytes(self) -> int:
        """Bytes of both areas."""
        return self.token_bytes + self.batch * self.length * self.vocab_size * _LOGIT_BYTES


class Frames:
    """One token area and one logit area in memory that two processes share.

    Attributes:
        tokens: shape (batch, length), int64, written by the scorer.
        logits: shape (batch, length, vocab_size), float32, written by the candidate; copy it before reading.
    """

    def __init__(self, descriptor: int, shape: FrameShape) -> None:
        self.descriptor = descriptor
        self.shape = shape
        self._memory = mmap.mmap(descriptor, shape.total_bytes)
        self.tokens: npt.NDArray[np.int64] = np.ndarray((shape.batch, shape.length), np.int64, self._memory)
        self.logits: npt.NDArray[np.float32] = np.ndarray(
            (shape.batch, shape.length, shape.vocab_size), np.float32, self._memory, shape.token_bytes
        )

    @classmethod
    def create(cls, shape: FrameShape) -> Frames:
        """Allocate anonymous shared memory; its descriptor is inheritable only when passed on purpose."""
        return cls(_anonymous_file(shape.total_bytes), shape)

    def close(self) -> None:
        """Let go of the memory, which this process keeps until the last view of it is gone."""
        del self.tokens, self.logits, self._memory
        os.close(self.descriptor)


def _anonymous_file(size_bytes: int) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("evo-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, size_bytes)
        # The other side holds the descriptor too: were it to shrink the file, our next read would die of SIGBUS.
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        return descriptor
    descriptor, path = tempfile.mkstemp(prefix="evo-frames-")
    os.unlink(path)  # noqa: PTH108 - mkstemp speaks paths as strings
    os.ftruncate(descriptor, size_bytes)
    return descriptor
