"""The supervisor of a command that edits files, from the driver's side."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
from collections.abc import Callable

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
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - it takes a millisecond; an argument list, no shell
            python_command("trainer.agent", str(there.fileno())),
            env=trusted_environment(threads=1),
            stdin=subprocess.DEVNULL,
            pass_fds=(there.fileno(),),
            # Ctrl-C in the driver's terminal must reach the driver alone.
            start_new_session=True,
        )
    try:
        return await _conversation(here, job, listener)
    finally:
        here.close()  # where no conversation began
        await asyncio.shield(asyncio.to_thread(_end, process))


async def _conversation(line: socket.socket, job: EditingJob, listener: Callable[[str], None]) -> Edited:
    reader, writer = await asyncio.open_unix_connection(sock=line, limit=_LONGEST_MESSAGE_BYTES)
    try:
        with contextlib.suppress(ConnectionError):  # of a supervisor that has ended, which its silence tells
            writer.write(json.dumps({"event": "job", "job": job.to_json()}).encode() + b"\n")
            await writer.drain()
            async for text in reader:
                message = json.loads(text)
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
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a supervisor whose line is closed."""
    try:
        process.wait(_END_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        sweep_groups()
        sweep(None)
