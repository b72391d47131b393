"""The supervisor of one command that edits files: `python -m trainer.agent DESCRIPTOR`.

It takes one job from the driver's line, tells every line that the command prints while it runs, and last what came of
it. When the driver closes the line, or dies, the command is killed with everything that it started.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from trainer.agent.folder import HOME, MOST_OTHERS, lay_out, other_changes, read_back
from trainer.agent.job import Edited, EditingJob
from trainer.errors import EvoError
from trainer.ipc.channel import Channel, ChannelClosed
from trainer.machine.output import Stream, clean
from trainer.machine.processes import become_subreaper, refuse_inspection
from trainer.sandbox import Access, Command
from trainer.settings import DeviceSettings, Limits
from trainer.supervisor.process_tree import ProcessTree, Workplace
from trainer.supervisor.watch import DriverGone, Ended, Guard, TimeLimit

_OUTPUT_MIB = 32.0
_LONGEST_LINE_BYTES = 2**20
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")


class _Lines:
    """Puts printed bytes together to lines; what is too long for one is left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_too_long = False

    def feed(self, printed: bytes) -> list[str]:
        """Return the lines that are complete now, clean and none of them empty."""
        *lines, self._rest = (self._rest + printed).split(b"\n")
        if self._is_too_long and lines:
            del lines[0]
            self._is_too_long = False
        if len(self._rest) > _LONGEST_LINE_BYTES:
            self._rest, self._is_too_long = b"", True
        return [clean(line.decode("utf-8", "replace")) for line in lines if line and len(line) <= _LONGEST_LINE_BYTES]


def main() -> None:
    """Serve the driver on the line that the command line names."""
    become_subreaper()
    refuse_inspection()  # the variables of a job may hold keys
    driver = Channel.from_descriptor(int(sys.argv[1]))
    with contextlib.suppress(ChannelClosed, DriverGone):
        job = EditingJob.from_json(driver.receive()["job"])
        try:
            edited = _run(job, driver)
        except (EvoError, OSError) as error:
            driver.send({"event": "failed", "reason": str(error)})
        else:
            driver.send({"event": "edited", "edited": asdict(edited)})


def _run(job: EditingJob, driver: Channel) -> Edited:
    limits = Limits(memory_mib=job.memory_mib, disk_mib=job.disk_mib, output_mib=_OUTPUT_MIB)
    visible, writable = [*map(Path, job.visible)], [*map(Path, job.writable)]
    access = Access(visible, writable, network=True, observable_state=True)
    settings = DeviceSettings(device="cpu", limits=limits, sandbox=job.sandbox)
    with contextlib.closing(Workplace(settings, access)) as workplace:
        folder = workplace.scratch.new_folder()
        digests = lay_out(folder, job.files)
        home = workplace.sandbox.home(folder)
        began = time.monotonic()
        lines = _Lines()

        def tell(printed: bytes, stream: Stream) -> None:
            if stream is Stream.STDOUT:
                _send(driver, lines.feed(printed))

        tree = ProcessTree(workplace, Command(job.command, folder, _environment(job, home)), tell)
        try:
            ended = _end_of(tree, job, limits, driver)
            seconds = time.monotonic() - began
            _send(driver, lines.feed(b"\n"))
            if not tree.has_ended:
                return Edited("could not be killed", {}, {}, (), tree.output.tail(), seconds)
            files, unreadable = read_back(folder, job.edited)
            others = itertools.islice(other_changes(folder, digests, {*job.edited}), MOST_OTHERS)
            return Edited(ended, files, unreadable, tuple(others), tree.output.tail(), seconds)
        finally:
            tree.close()


def _end_of(tree: ProcessTree, job: EditingJob, limits: Limits, driver: Channel) -> str:
    """Wait for the end of a command, kill what is left of it, and return why it did not end well."""
    tree.begin()
    limit = TimeLimit(time.monotonic() + job.seconds, f"did not end within {job.seconds:g} s")
    try:
        Guard(tree, limits, driver, tree.find_main).until_exit(limit)
    except Ended as end:
        return str(end)
    finally:
        tree.kill()
    return ""


def _environment(job: EditingJob, home: Path) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    own = {"HOME": str(home / HOME), "TMPDIR": str(home / HOME), "USER": "agent"}
    return passed_on | own | dict(job.variables)


def _send(driver: Channel, lines: list[str]) -> None:
    for line in lines:
        driver.send({"event": "printed", "line": line})
