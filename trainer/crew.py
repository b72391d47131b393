"""The child processes of one supervisor: warm candidates, each serving once, with what they print and use."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections import deque
from pathlib import Path

from trainer.candidate_protocol import GENOME_FILE
from trainer.channel import Channel
from trainer.processes import kill_tree, peak_resident_mib, tree_cpu_seconds, tree_resident_mib
from trainer.sandbox import Sandbox, candidate_environment, python_command
from trainer.settings import Settings

_TAIL_BYTES = 16 * 2**10
_READ_BYTES = 2**16
# Terminal escapes (CSI, OSC and two-character ones) and every control character but tab and newline.
_CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[^\t\n\x20-\x7e\u00a0-\U0010ffff]"
)
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Candidate:
    """One untrusted process tree with its line, its output and its scratch folder.

    Attributes:
        channel: the supervisor's end of the line; None once it was given to the scorer.
        output_bytes: how much it has printed so far.
    """

    def __init__(self, settings: Settings, sandbox: Sandbox) -> None:
        # Resolved, because a candidate must not see the difference between a link and its target.
        self.scratch = Path(tempfile.mkdtemp(prefix="evo-candidate-", dir=settings.scratch)).resolve()
        self.channel, inherited = Channel.pair()
        arguments = (str(inherited.fileno()), settings.device, str(settings.threads))
        with inherited:
            self._process: subprocess.Popen[bytes] = sandbox.launch(
                python_command("trainer.candidate", *arguments),
                self.scratch,
                (inherited.fileno(),),
                candidate_environment(self.scratch, settings.device_id, settings.threads),
            )
        assert self._process.stdout is not None  # noqa: S101 - launched with a pipe
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self.output_bytes = 0
        self.peak_mib = 0.0

    @property
    def pid(self) -> int:
        """Process id of the tree's root."""
        return self._process.pid

    @property
    def output_descriptor(self) -> int:
        """What to watch for output; -1 after its end."""
        return self._output

    def give_genome(self, source: str) -> None:
        """Put the genome where the process will look for it."""
        (self.scratch / GENOME_FILE).write_text(source, encoding="utf-8")

    def exit_code(self) -> int | None:
        """Return the exit code of the root process if it has ended (negative: the signal that ended it)."""
        return self._process.poll()

    def wait_for_exit(self, seconds: float) -> int | None:
        """Return the exit code, waiting for a process that has already closed its line."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def cpu_seconds(self) -> float:
        """CPU seconds of the whole tree so far."""
        return tree_cpu_seconds(self.pid)

    def resident_mib(self) -> float:
        """Resident memory of the whole tree now, MiB; the peak is remembered."""
        resident = tree_resident_mib(self.pid)
        self.peak_mib = max(self.peak_mib, resident, peak_resident_mib(self.pid))
        return resident

    def read_output(self) -> None:
        """Take what has been printed; keep the end of it."""
        while self._output >= 0:
            try:
                data = os.read(self._output, _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self._output = -1
                return
            self.output_bytes += len(data)
            self._tail.append(data)
            self._tail_bytes += len(data)
            while self._tail_bytes - len(self._tail[0]) >= _TAIL_BYTES:
                self._tail_bytes -= len(self._tail.popleft())
            if len(data) < _READ_BYTES:
                return

    def log_tail(self) -> str:
        """Return the end of the output as clean text: no control characters, at most 16 KiB."""
        text = b"".join(self._tail)[-_TAIL_BYTES:].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        return _BIDI.sub("", _CONTROL.sub("", text))

    def kill(self) -> None:
        """End the whole tree and collect what it printed last."""
        kill_tree(self.pid)
        self._process.wait()
        self.read_output()

    def close(self) -> None:
        """End the tree and remove its scratch folder."""
        if self._process.returncode is None:
            self.kill()
        self.channel.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


class Spares:
    """Keeps one warm candidate ahead for each role that an evaluation needs."""

    def __init__(self, settings: Settings, sandbox: Sandbox, count: int = 2) -> None:
        self._settings = settings
        self._sandbox = sandbox
        self._waiting = deque(Candidate(settings, sandbox) for _ in range(count))

    def take(self) -> Candidate:
        """Return the oldest spare that still lives, and start its replacement."""
        while True:
            spare = self._waiting.popleft()
            self._waiting.append(Candidate(self._settings, self._sandbox))
            if spare.exit_code() is None:
                return spare
            spare.close()

    def pids(self) -> list[int]:
        """Process ids of the spares."""
        return [spare.pid for spare in self._waiting]

    def close(self) -> None:
        """End all spares."""
        for spare in self._waiting:
            spare.close()
        self._waiting.clear()
