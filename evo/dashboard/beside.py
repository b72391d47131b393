"""A dashboard beside a run: in a process of its own, of low priority, which ends with the run's.

The driver listens and knows the token, so it can print the address before the server has loaded. The server inherits
the socket; the token comes over its stdin, whose end is also how it learns that the driver has ended, however that was.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from evo.dashboard.listening import address, listen, new_token
from evo.runs.folder import RunFolder
from trainer.sandbox import python_command, trusted_environment

HOST = "127.0.0.1"
_NICENESS = 10
_PATIENCE_SECONDS = 10.0
_LOOKING_SECONDS = 0.2


@contextmanager
def dashboard_beside(run: Path, port: int) -> Iterator[str]:
    """Serve a run until the context ends; yields the address.

    Args:
        run: its folder, which may be made later: who connects before waits for it.
        port: to listen on; 0 for a free one.

    Raises:
        UsageError: the port is in use.
    """
    token = new_token()
    with closing(listen(HOST, port)) as listening:
        opened = address(HOST, listening, token)
        process = subprocess.Popen(  # noqa: S603 - our own program
            python_command("evo.dashboard.beside", str(listening.fileno()), str(run.absolute())),
            env=trusted_environment(threads=1),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[listening.fileno()],
            start_new_session=True,  # Ctrl-C is for the driver, which saves then
        )
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    try:
        with suppress(BrokenPipeError):  # it has said on stderr why it ended
            process.stdin.write(f"{token}\n".encode())
            process.stdin.flush()
        yield opened
    finally:
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> None:
    """Serve the run at `argv[2]` on the socket of descriptor `argv[1]` until stdin ends."""
    from evo.dashboard.access import Access
    from evo.dashboard.serving import serve_on

    os.nice(_NICENESS)
    listening = socket.socket(fileno=int(sys.argv[1]))
    folder = RunFolder(Path(sys.argv[2]))
    token = sys.stdin.readline().strip()
    with suppress(KeyboardInterrupt), closing(listening):
        threading.Thread(target=_end_with_the_driver, daemon=True).start()
        while not folder.config.is_file():  # the last file of a new run
            time.sleep(_LOOKING_SECONDS)
        serve_on({folder.path.name: folder}, listening, Access(listening.getsockname()[1], token=token))


def _end_with_the_driver() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main()
