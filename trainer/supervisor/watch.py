"""Watching one process tree: its output, its limits, its messages, and whether the driver is still there."""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trainer.evaluation import Status
from trainer.ipc.channel import Channel, ChannelClosed, Message, ProtocolBroken
from trainer.machine.output import clean
from trainer.machine.processes import has_ended, oom_kills
from trainer.settings import Limits
from trainer.supervisor.crew import Candidate
from trainer.supervisor.process_tree import ProcessTree

_TICK_SECONDS = 0.1
_SHARE_UNSEEN = 0.25  # of the time so far, until the next look
_DISK_CHECK_SECONDS = 0.5
_SHORTEST_WAIT_SECONDS = 0.005
_EXIT_PATIENCE_SECONDS = 5.0
_REASON_LIMIT = 1000
_UNCOUNTABLE = "kept files that cannot be counted: too many, or nested too deep"


class Ended(Exception):  # noqa: N818 - a verdict
    """The evaluation ended early; carries the status and a printable reason."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__()
        self.status = status
        self.explain(reason)

    def explain(self, reason: str) -> None:
        """Give another reason."""
        self.args = (clean(reason)[:_REASON_LIMIT],)


class Killed(Ended):
    """A process was killed, and nothing tells whether by itself or from outside."""

    def __init__(self) -> None:
        super().__init__(Status.LOST, "was killed from outside (SIGKILL)")


class DriverGone(Exception):  # noqa: N818 - the ordinary end of a supervisor
    """The driver closed its line or died."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """When a stage must be over.

    Attributes:
        deadline: monotonic seconds; the cap that always holds.
        reason: why it ends when that is passed.
        cpu_limit_seconds: total CPU seconds of the tree at which the stage ends.
        cpu_reason: why it ends then.
    """

    deadline: float
    reason: str
    cpu_limit_seconds: float = math.inf
    cpu_reason: str = ""

    def seconds_left(self, tree: ProcessTree) -> float:
        """Return the shortest time after which a limit could be passed; raise Ended when one is."""
        left = self.deadline - time.monotonic()
        cpu_left = self.cpu_limit_seconds - tree.cpu_seconds() if math.isfinite(self.cpu_limit_seconds) else math.inf
        if min(left, cpu_left) <= 0:
            raise Ended(Status.TIMED_OUT, self.reason if left <= 0 else self.cpu_reason)
        return min(left, cpu_left)


class Guard:
    """Keeps one process tree within its limits while it works, and calls `meanwhile` several times a second.

    Attributes:
        tells_figures: whether verdicts name the exit code and the memory used, by which a process that knows held-out
            text could tell it.
    """

    def __init__(
        self, tree: ProcessTree, limits: Limits, driver: Channel, meanwhile: Callable[[], None] | None = None
    ) -> None:
        self._tree = tree
        self._limits = limits
        self._driver = driver
        self._meanwhile = meanwhile
        self.tells_figures = True
        self._next_check = 0.0
        self._next_disk_check = 0.0
        self._ended_at: float | None = None
        self._began = time.monotonic()
        self._oom_kills = oom_kills()

    def until_exit(self, limit: TimeLimit) -> float:
        """Return the monotonic time at which the root process was seen to have ended well.

        Raises:
            Ended: a limit was passed, or it ended in any other way.
            DriverGone: the driver closed its line.
        """
        with _exit_of(self._tree.pid) as exited:
            while not has_ended(self._tree.pid):
                self._wait(exited, self._check(limit))
        ended = time.monotonic()
        self._next_disk_check = ended
        self._check_usage()
        if self._tree.kill() != 0:
            raise self.verdict_on_exit()
        self.check_peak()
        return ended

    def check_peak(self) -> None:
        """Raise Ended when one process of the ended tree was beyond the memory limit, if only between two looks."""
        self._refuse_memory(self._tree.peak_resident_mib, "used, for a moment,")

    def verdict_on_exit(self) -> Ended:
        """Return the verdict on a candidate whose line has closed."""
        if not self._tree.ends_within(_EXIT_PATIENCE_SECONDS):
            return Ended(Status.CRASHED, "closed its line to the supervisor before its work was done")
        code = self._tree.kill()
        if code == -signal.SIGKILL:
            return self._verdict_on_kill()
        if not self.tells_figures:
            return Ended(Status.CRASHED, "ended while it was scored")
        if code is not None and code < 0:
            return Ended(Status.CRASHED, f"was ended by {_signal_name(-code)}")
        return Ended(Status.CRASHED, f"exited with code {code} before its work was done")

    def _check(self, limit: TimeLimit) -> float:
        """Check all limits if it is time to; return the seconds until the next check is due."""
        now = time.monotonic()
        if now >= self._next_check:
            self._tree.output.read()
            self._check_driver()
            self._check_usage()
            if self._meanwhile is not None:
                self._meanwhile()
            left = limit.seconds_left(self._tree)
            if self._ended_at is None and has_ended(self._tree.pid):
                self._ended_at = time.monotonic()
            # More often at first, so that what lasts a moment only is measured too.
            soon = _SHARE_UNSEEN * (time.monotonic() - self._began)
            self._next_check = time.monotonic() + max(_SHORTEST_WAIT_SECONDS, min(_TICK_SECONDS, soon, left))
        return max(0.0, self._next_check - now)

    def _ended_seconds(self) -> float:
        """For how long the root process has been seen to have ended; negative while it has not."""
        return -1.0 if self._ended_at is None else time.monotonic() - self._ended_at

    def _wait(self, source: Channel | int | None, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._driver, select.POLLIN)
        if source is not None:
            poll.register(source, select.POLLIN)
        for descriptor in self._tree.output.descriptors:
            poll.register(descriptor, select.POLLIN)
        poll.poll(math.ceil(seconds * 1000))
        self._tree.output.read()
        self._check_driver()

    def _check_driver(self) -> None:
        try:  # between a job and its verdict the driver sends nothing
            self._driver.take()
        except ChannelClosed as error:
            raise DriverGone from error

    def _check_usage(self) -> None:
        # First, because measuring a fork bomb's memory would take long.
        if self._tree.processes(self._limits.processes) > self._limits.processes:
            raise Ended(Status.CRASHED, f"started more than {self._limits.processes} processes")
        resident_mib = self._tree.sample_memory()
        if self._tree.threads > self._limits.threads:
            raise Ended(Status.CRASHED, f"started more than {self._limits.threads} threads")
        if math.isinf(resident_mib):
            raise Ended(Status.CRASHED, _UNCOUNTABLE)
        self._refuse_memory(resident_mib, "used")
        if self._tree.output.total_bytes > self._limits.output_mib * 2**20:
            raise Ended(Status.CRASHED, f"printed more than {self._limits.output_mib:.0f} MiB")
        if time.monotonic() >= self._next_disk_check:
            self._next_disk_check = time.monotonic() + _DISK_CHECK_SECONDS
            disk_mib = self._tree.disk_mib()
            if math.isinf(disk_mib):
                raise Ended(Status.CRASHED, _UNCOUNTABLE)
            if disk_mib > self._limits.disk_mib:
                raise Ended(Status.CRASHED, f"kept more than {self._limits.disk_mib:.0f} MiB in its files")

    def _refuse_memory(self, mib: float, used: str) -> None:
        most = self._limits.memory_mib
        if mib > most:
            known = f"{mib:.0f} MiB of memory where {most:.0f} MiB are allowed"
            hidden = f"more memory than the {most:.0f} MiB that are allowed"
            raise Ended(Status.OUT_OF_MEMORY, f"{used} {known if self.tells_figures else hidden}")

    def _verdict_on_kill(self) -> Ended:
        """Return the verdict on a process that was killed by the kernel, for want of memory, or by a user."""
        peak_mib = self._tree.peak_resident_mib
        if peak_mib > self._limits.memory_mib / 2 or oom_kills() > self._oom_kills:
            at = f" at {peak_mib:.0f} MiB" if self.tells_figures else ""
            return Ended(Status.OUT_OF_MEMORY, f"was killed by the system{at}")
        return Killed()


class Watch(Guard):
    """Waits for the next message of a candidate while keeping it within its limits (see `Guard`)."""

    def __init__(
        self, candidate: Candidate, limits: Limits, driver: Channel, meanwhile: Callable[[], None] | None = None
    ) -> None:
        super().__init__(candidate, limits, driver, meanwhile)
        self._line = candidate

    def next_message(self, limit: TimeLimit, scorer: Channel | None = None) -> Message:
        """Return the next message of the candidate, or of the scorer that questions it when given.

        Raises:
            Ended: a limit was passed, the process ended, or it broke the protocol; LOST when the scorer ended.
            DriverGone: the driver closed its line.
        """
        source = scorer or self._line.channel
        while True:
            # Before each message, because a flood of them must not outrun the limits.
            left = self._check(limit)
            try:
                message = source.take()
            except ChannelClosed as error:
                if scorer is not None:
                    raise Ended(Status.LOST, "the scorer ended before its verdict") from error
                raise self.verdict_on_exit() from error
            except ProtocolBroken as error:
                raise Ended(Status.REJECTED, f"broke the protocol of evaluations: {error}") from error
            if message is not None:
                return message
            # A daemon can hold the line open after the candidate has ended.
            if self._ended_seconds() > (_EXIT_PATIENCE_SECONDS if scorer else 0.0):
                raise self.verdict_on_exit()
            self._wait(source, left)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names
        return f"signal {number}"


@contextlib.contextmanager
def _exit_of(pid: int) -> Iterator[int | None]:
    """Give a descriptor that becomes readable when a child ends; None where the system has no such thing."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
