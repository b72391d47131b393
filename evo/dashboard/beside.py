"""A dashboard beside a run: in a process of its own, of low priority, which ends with the run's.

The driver listens and knows the token, so it can print the address before the server has loaded. The server inherits
the socket and is told the token.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from evo.dashboard.listening import address, listen, new_token
from evo.followers.companion import accompany, companion
from evo.runs.folder import RunFolder

HOST = "127.0.0.1"
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
    with ExitStack() as serving:
        with closing(listen(HOST, port)) as listening:
            server = companion(
                "evo.dashboard.beside",
                str(listening.fileno()),
                str(run.absolute()),
                told=token,
                descriptors=[listening.fileno()],
            )
            serving.enter_context(server)
            opened = address(HOST, listening, token)
        yield opened


def main() -> None:
    """Serve the run at `argv[2]` on the socket of descriptor `argv[1]` until stdin ends."""
    from evo.dashboard.access import Access
    from evo.dashboard.serving import serve_on

    listening = socket.socket(fileno=int(sys.argv[1]))
    folder = RunFolder(Path(sys.argv[2]))
    with suppress(KeyboardInterrupt), closing(listening):
        token = accompany(lambda: os.kill(os.getpid(), signal.SIGINT))
        while not folder.config.is_file():  # the last file of a new run
            time.sleep(_LOOKING_SECONDS)
        serve_on(lambda: {folder.path.name: folder}, listening, Access(listening.getsockname()[1], token=token))


if __name__ == "__main__":
    main()
