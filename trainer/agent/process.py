"""The supervisor of a command that edits files, from the driver's side."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable
from typing import Any

from trainer.agent.job import Edited, EditingError, EditingJob
from trainer.machine.control_group import sweep_groups
from trainer.machine.scratch import sweep
from trainer.sandbox import python_command, trusted_environment

_LONGEST_MESSAGE_BYTES = 16 * 2**20
_END_PATIENCE_SECONDS = 20.0  # longer than a supervisor hunts for the processes of its command


async def edit_files(job: EditingJob, listener: Callable[[str], None] = lambda _: None) -> Edited:
    """Let a command edit files, and return what came of it; cancelled, it leaves nothing running.

    Args:
        job: what is to be run.
        listener: told every line that the command prints to its standard output, without control characters.

    Raises:
        EditingError: the command could not be started, or its supervisor ended before it.
    """
    here, there = socket.socketpair()
    with there:
        process = await asyncio.create_subprocess_exec(
            *python_command("trainer.agent", str(there.fileno())),
            env=trusted_environment(threads=1),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(there.fileno(),),
            # Ctrl-C in the driver's terminal must reach the driver alone.
            start_new_session=True,
        )
    reader, writer = await asyncio.open_unix_connection(sock=here, limit=_LONGEST_MESSAGE_BYTES)
    try:
        with contextlib.suppress(ConnectionError):  # of a supervisor that has ended, which its silence tells
            writer.write(json.dumps({"event": "job", "job": job.to_json()}).encode() + b"\n")
            await writer.drain()
            async for line in reader:
                message = json.loads(line)
                match message["event"]:
                    case "printed":
                        listener(message["line"])
                    case "edited":
                        return Edited.from_json(message["edited"])
                    case _:
                        raise EditingError(f"{job.command[0]} could not be started: {message['reason']}")
        raise EditingError(f"The supervisor of {job.command[0]} ended before its verdict.")
    finally:
        writer.close()
        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a supervisor whose line is closed, also where this is cancelled meanwhile."""
    waiting: asyncio.Task[Any] = asyncio.create_task(process.wait())
    try:
        await asyncio.wait_for(asyncio.shield(waiting), _END_PATIENCE_SECONDS)
    except TimeoutError:
        process.kill()
        await waiting
        sweep_groups()
        sweep(None)
