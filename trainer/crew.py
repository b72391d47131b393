"""The child processes of one supervisor: the scorer, and warm candidates that serve once each."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections import Counter
from pathlib import Path

from trainer.candidate_protocol import GENOME_FILE, Role
from trainer.channel import Channel, ChannelClosed
from trainer.devices import GpuMemory
from trainer.disk import used_mib
from trainer.errors import MachineError
from trainer.output import Output
from trainer.processes import (
    Family,
    children,
    die_with_parent,
    has_ended,
    keepers,
    kill_tree,
    peak_resident_mib,
    trees,
    usage,
)
from trainer.sandbox import Sandbox, candidate_environment, choose_sandbox, python_command, trusted_environment
from trainer.scratch import Scratch, remove, sweep
from trainer.settings import Settings

_SPARES = {Role.TRAIN: 1, Role.SERVE: 2}  # of those that serve, one is scored and one answers the probes
_KILL_PATIENCE_SECONDS = 10.0
_START_PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 0.005


class Crew:
    """Everything that one supervisor started and has to end.

    Attributes:
        sandbox: what candidates are confined by.
        scorer: the trusted process; a new one after `replace_scorer`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.sandbox = choose_sandbox(settings.sandbox, settings.limits, settings.device)
        self._family = Family()
        self._family.end_orphans()  # what trying the sandbox has left
        self._gpu = GpuMemory(settings.device_id) if settings.device == "cuda" else None
        sweep(settings.scratch)
        self._scratch = Scratch(settings.scratch)
        self._spares: list[Candidate] = []
        self.scorer = ScorerProcess(settings, self._family)
        self.refill()

    def read_only_path(self, path: Path) -> Path:
        """Return a path to a file whose descriptor may be given to a candidate for reading only."""
        try:
            return self.sandbox.read_only_path(path)
        finally:
            self._family.end_orphans()

    def take(self, role: Role) -> Candidate:
        """Return the oldest spare of a role that still lives, or a new candidate; `refill` replaces it."""
        for spare in [spare for spare in self._spares if spare.role is role]:
            self._spares.remove(spare)
            if not has_ended(spare.pid):
                return spare
            spare.close()
        return self._new_candidate(role)

    def next_spare(self) -> Candidate:
        """Return the oldest spare, leaving it where it is."""
        return self._spares[0]

    def refill(self) -> None:
        """Start a spare if one is missing and no other is warming up: at most one takes time from who trains."""
        present = Counter(spare.role for spare in self._spares)
        missing = [role for role, wanted in _SPARES.items() if present[role] < wanted]
        if missing and not any(spare.warming() for spare in self._spares):
            self._spares.append(self._new_candidate(missing[0]))

    def replace_scorer(self) -> None:
        """End the scorer, whatever it is doing, and start another."""
        self.scorer.close()
        self.scorer = ScorerProcess(self._settings, self._family)

    def close(self) -> None:
        """End every child and remove every scratch folder."""
        for spare in self._spares:
            spare.close()
        self._spares.clear()
        self.scorer.close()
        self._family.end_orphans()
        self._scratch.close()

    def _new_candidate(self, role: Role) -> Candidate:
        return Candidate(role, self._settings, self.sandbox, self._scratch.new_folder(), self._family, self._gpu)


class Candidate:
    """One untrusted process tree with its line, its output and its scratch folder.

    Its descendants count as its own also after they became orphans: only one candidate at a time has a genome.

    Attributes:
        role: what it is warmed up for.
        channel: the supervisor's end of the line, until it is given to the scorer.
        scratch: its working folder.
        output: what it prints.
        ready: whether it has said that it is warm.
        peak_resident_mib: the highest resident memory seen so far.
        peak_gpu_mib: the highest memory of its GPU seen so far; 0 on other devices.
    """

    def __init__(
        self,
        role: Role,
        settings: Settings,
        sandbox: Sandbox,
        scratch: Path,
        family: Family,
        gpu: GpuMemory | None,
    ) -> None:
        self.role = role
        self._sandbox = sandbox
        self._family = family
        self._gpu = gpu
        self._gpu_baseline_mib = 0.0
        self._keepers: list[int] = []
        self.scratch = scratch
        self.ready = False
        self.peak_resident_mib = 0.0
        self.peak_gpu_mib = 0.0
        self.channel, inherited = Channel.pair()
        arguments = (str(inherited.fileno()), settings.device, str(settings.threads), role)
        try:
            with inherited:
                self._process: subprocess.Popen[bytes] = sandbox.launch(
                    python_command("trainer.candidate", *arguments),
                    self.scratch,
                    (inherited.fileno(),),
                    candidate_environment(sandbox.home(scratch), settings.device_id, settings.threads),
                )
        except OSError:
            self.channel.close()
            remove(scratch)
            raise
        family.add(self._process.pid)
        self._main = self._process.pid
        assert self._process.stdout is not None  # noqa: S101 - launched with a pipe
        self.output = Output(self._process.stdout.fileno())

    @property
    def pid(self) -> int:
        """Process id of the tree's root; it is not given to another process before `kill`."""
        return self._process.pid

    def warming(self) -> bool:
        """Return whether it has yet to say that it is warm; one that has ended never will."""
        if not self.ready:
            try:
                self.ready = self.channel.take() is not None
            except ChannelClosed:
                return False
        return not self.ready

    def give_genome(self, source: str) -> None:
        """Put the genome where the process will look for it; what is measured counts from now."""
        (self.scratch / GENOME_FILE).write_text(source, encoding="utf-8", newline="")
        # Now, while every process of the tree is known to be what it seems.
        self._keepers = keepers(self.pid, self._sandbox.keeper)
        self._main = next(iter(self._below_keepers()), self.pid)
        if self._gpu is not None:
            self._gpu_baseline_mib = self._gpu.device_mib()

    def orphans(self) -> list[int]:
        """Return its descendants whose parents have ended; dead ones too, unless the sandbox has an init of its own."""
        return [*self._family.orphans(), *(pid for pid in self._below_keepers() if pid != self._main)]

    def cpu_seconds(self) -> float:
        """CPU seconds of the whole tree so far."""
        return usage([self.pid, *self._family.orphans()]).cpu_seconds

    def processes(self) -> int:
        """How many processes the whole tree has."""
        return len(trees([self.pid, *self._family.orphans()])) - len(self._keepers)

    def disk_mib(self) -> float:
        """Room that its files take, MiB; infinite when it keeps that from being told."""
        return used_mib(self.scratch, trees([self.pid, *self._family.orphans()]))

    def sample_memory(self) -> float:
        """Return the resident memory of the whole tree now, MiB; the peaks are remembered."""
        roots = [self.pid, *self._family.orphans()]
        resident_mib = usage(roots).resident_mib
        self.peak_resident_mib = max(self.peak_resident_mib, resident_mib, peak_resident_mib(self._main))
        if self._gpu is not None:
            self.peak_gpu_mib = max(self.peak_gpu_mib, self._gpu.used_mib(trees(roots), self._gpu_baseline_mib))
        return resident_mib

    @property
    def peak_memory_mib(self) -> float:
        """The highest memory seen so far where the model lives: on the GPU, else resident."""
        return self.peak_resident_mib if self._gpu is None else self.peak_gpu_mib

    def ends_within(self, seconds: float) -> bool:
        """Return whether the root process has ended, waiting for one that has already closed its line."""
        deadline = time.monotonic() + seconds
        while not has_ended(self.pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def kill(self) -> int | None:
        """End the tree and its orphans; return the exit code (negative: a signal), None if it cannot be ended."""
        if self._process.returncode is None:
            kill_tree(self.pid)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_KILL_PATIENCE_SECONDS)
                self._family.discard(self.pid)
            self._family.end_orphans()
            self.output.read()
        code = self._process.returncode
        return None if code is None else self._sandbox.exit_code(code)

    def _below_keepers(self) -> list[int]:
        """Return the children of the sandbox's innermost process: the root of the genome's tree, and orphans."""
        return children(self._keepers[-1]) if self._keepers else []

    def close(self) -> None:
        """End the tree and remove its scratch folder."""
        self.kill()
        self.channel.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        remove(self.scratch)


class ScorerProcess:
    """The trusted process that holds the held-out tokens.

    Attributes:
        channel: the line to it.
    """

    def __init__(self, settings: Settings, family: Family) -> None:
        self._family = family
        self._ready = False
        self.channel, inherited = Channel.pair()
        with inherited:
            self._process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
                python_command("trainer.scorer", str(inherited.fileno())),
                env=trusted_environment(settings.threads) | {"CUDA_VISIBLE_DEVICES": settings.device_id},
                stdin=subprocess.DEVNULL,
                pass_fds=(inherited.fileno(),),
                start_new_session=True,
                preexec_fn=die_with_parent,  # the supervisor has a single thread
            )
        family.add(self._process.pid)
        self.channel.send({"event": "start", "settings": settings.to_json()})

    def await_ready(self) -> None:
        """Wait until it has loaded the corpus.

        Raises:
            MachineError: it did not start.
        """
        if self._ready:
            return
        try:
            answer = self.channel.receive(_START_PATIENCE_SECONDS)
        except ChannelClosed as error:
            raise MachineError(f"The scorer did not start: {error}; its own message stands above.") from error
        if answer["event"] == "failed":
            raise MachineError(str(answer["reason"]))
        self._ready = True

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._family.discard(self._process.pid)
        self.channel.close()
