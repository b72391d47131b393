"""The server of a dashboard: its address, its token, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import uvicorn

from evo.dashboard.access import Access, is_loopback
from evo.dashboard.app import Board
from evo.dashboard.listening import address, listen
from evo.dashboard.runs import find_runs
from evo.runs.folder import RunFolder
from evo.store import Store

Say = Callable[[str], None]


def serve(path: Path, host: str, port: int, *, read_only: bool, say: Say) -> None:
    """Serve the runs at or below `path` until the process is interrupted.

    Args:
        path: a run, or a folder of runs.
        host: to listen on; beyond loopback others can read and steer who have the token.
        port: to listen on; 0 for a free one.
        read_only: whether steering is refused.
        say: told the address, and what it means.

    Raises:
        RunFolderError: there is no run.
        StoreError: the store of the only run is of a newer version, or damaged.
        UsageError: the address is in use or not one of this machine.
    """
    folders = find_runs(path)
    if len(folders) == 1:
        (folder,) = folders.values()
        Store.read(folder.store).close()  # says at once what is wrong with it
    with contextlib.closing(listen(host, port)) as listening, contextlib.suppress(KeyboardInterrupt):
        access = Access(listening.getsockname()[1], read_only=read_only)

        def announce() -> None:
            say(address(host, listening, access.token))
            if not is_loopback(host):
                what = "read these runs" if read_only else "read and steer these runs"
                say(
                    f"evo: listening on {host}: anyone with this address and its token can {what}. It travels "
                    "unencrypted; an SSH tunnel to 127.0.0.1 does not."
                )

        serve_on(lambda: find_runs(path), listening, access, announce)


def serve_on(
    find: Callable[[], Mapping[str, RunFolder]],
    listening: socket.socket,
    access: Access,
    announce: Callable[[], None] = lambda: None,
) -> None:
    """Serve the runs that `find` returns by name on a socket until the process is interrupted.

    `announce` is called once an interrupt ends it in good order.
    """
    board = Board(find, access)
    config = uvicorn.Config(
        board.application(),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = _Server(config, board)
    # An exception in its midst would tear down an event loop, and be lost in a destructor.
    signal.signal(signal.SIGINT, server.handle_exit)
    announce()
    asyncio.run(server.serve(sockets=[listening]))


class _Server(uvicorn.Server):
    """Ends the streams of events before it waits for open requests."""

    def __init__(self, config: uvicorn.Config, board: Board) -> None:
        super().__init__(config)
        self._board = board

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ask the server to end; what is cut short by that is no news."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in good order."""
        self._board.is_ending.set()
        await super().shutdown(sockets)
