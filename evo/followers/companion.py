"""A process beside a driver, of low priority. It ends with the driver, since then its stdin ends, however that was."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from trainer.sandbox import python_command, trusted_environment

_NICENESS = 10


@contextmanager
def companion(
    module: str,
    *arguments: str,
    told: str = "",
    environment: Mapping[str, str] | None = None,
    descriptors: Sequence[int] = (),
    patience_seconds: float = 10.0,
) -> Iterator[None]:
    """Run a module of ours as a program, until the context ends.

    Args:
        module: which calls `accompany` first.
        arguments: for everybody to see.
        told: one line that only the process sees.
        environment: variables that it has besides those of `trusted_environment`.
        descriptors: open files that it inherits.
        patience_seconds: for its end, after which it is killed.
    """
    process = subprocess.Popen(  # noqa: S603 - our own program
        python_command(module, *arguments),
        env=trusted_environment(threads=1) | dict(environment or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=descriptors,
        start_new_session=True,  # Ctrl-C is for the driver, which saves then
    )
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    try:
        with suppress(BrokenPipeError):  # it has said on stderr why it ended
            process.stdin.write(f"{told}\n".encode())
            process.stdin.flush()
        yield
    finally:
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def accompany(end: Callable[[], None]) -> str:
    """Return what this process was told; from now on a thread calls `end` when the driver has ended."""
    os.nice(_NICENESS)
    told = sys.stdin.readline().rstrip("\n")

    def wait() -> None:
        sys.stdin.read()
        end()

    threading.Thread(target=wait, daemon=True).start()
    return told
