"""Watching one candidate: its messages, its output, its limits, and whether the driver still lives."""

from __future__ import annotations

import math
import select
import signal
import time
from dataclasses import dataclass

from trainer.channel import Channel, ChannelClosed, Message, ProtocolBroken
from trainer.crew import Candidate
from trainer.evaluation import Status
from trainer.settings import Limits

_TICK_SECONDS = 0.25
_SHORTEST_WAIT_SECONDS = 0.005
_EXIT_PATIENCE_SECONDS = 5.0


class Ended(Exception):  # noqa: N818 - a verdict
    """The evaluation is over before its end; carries the status and a reason for a person."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class DriverGone(Exception):  # noqa: N818 - the ordinary end of a supervisor
    """The driver closed its line or died."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """When a stage must be over.

    Attributes:
        deadline: monotonic seconds; the cap that always holds.
        reason: why it ends when a limit is passed.
        cpu_limit_seconds: total CPU seconds of the tree at which the stage ends; infinite on the wall clock.
    """

    deadline: float
    reason: str
    cpu_limit_seconds: float = math.inf

    def seconds_left(self, candidate: Candidate) -> float:
        """Return the shortest time after which a limit could be passed; raise Ended when one is."""
        left = self.deadline - time.monotonic()
        if math.isfinite(self.cpu_limit_seconds):
            left = min(left, self.cpu_limit_seconds - candidate.cpu_seconds())
        if left <= 0:
            raise Ended(Status.TIMED_OUT, self.reason)
        return left


class Watch:
    """Waits for the next message of one stage while the candidate is kept within its limits."""

    def __init__(self, candidate: Candidate, limits: Limits, driver: Channel) -> None:
        self._candidate = candidate
        self._limits = limits
        self._driver = driver

    def next_message(self, limit: TimeLimit, listen: Channel | None = None) -> Message:
        """Return the next message of the candidate, or of `listen` when given.

        Raises:
            Ended: a limit was passed, the process ended, or it broke the protocol.
            DriverGone: nobody waits for the verdict any more.
        """
        source = listen or self._candidate.channel
        while True:
            try:
                message = source.take()
            except ChannelClosed as error:
                raise self._verdict_on_exit() from error
            except ProtocolBroken as error:
                raise Ended(Status.REJECTED, f"broke the protocol of evaluations: {error}") from error
            if message is not None:
                return message
            self._check_usage()
            self._wait(source, limit.seconds_left(self._candidate))

    def _wait(self, source: Channel, seconds: float) -> None:
        watched: list[Channel | int] = [source, self._driver]
        if self._candidate.output_descriptor >= 0:
            watched.append(self._candidate.output_descriptor)
        wait = max(_SHORTEST_WAIT_SECONDS, min(_TICK_SECONDS, seconds))
        readable, _, _ = select.select(watched, [], [], wait)
        self._candidate.read_output()
        if self._driver in readable:
            self._expect_silence()

    def _expect_silence(self) -> None:
        """Between a job and its verdict the driver says nothing; it can only go away."""
        try:
            self._driver.take()
        except ChannelClosed as error:
            raise DriverGone from error

    def _check_usage(self) -> None:
        resident_mib = self._candidate.resident_mib()
        if resident_mib > self._limits.memory_mib:
            raise Ended(
                Status.OUT_OF_MEMORY,
                f"used {resident_mib:.0f} MiB of memory where {self._limits.memory_mib:.0f} MiB are allowed",
            )
        if self._candidate.output_bytes > self._limits.output_mib * 2**20:
            raise Ended(Status.CRASHED, f"printed more than {self._limits.output_mib:.0f} MiB")

    def _verdict_on_exit(self) -> Ended:
        code = self._candidate.wait_for_exit(_EXIT_PATIENCE_SECONDS)
        self._candidate.read_output()
        if code is None:
            return Ended(Status.CRASHED, "closed its line to the supervisor before its work was done")
        if code == -signal.SIGKILL:
            return self._verdict_on_kill()
        if code < 0:
            return Ended(Status.CRASHED, f"was ended by {signal.Signals(-code).name}")
        return Ended(Status.CRASHED, f"exited with code {code} before its work was done")

    def _verdict_on_kill(self) -> Ended:
        """Someone else killed it: the kernel for want of memory, or a person."""
        if self._candidate.peak_mib > self._limits.memory_mib / 2:
            return Ended(Status.OUT_OF_MEMORY, f"was killed by the system at {self._candidate.peak_mib:.0f} MiB")
        return Ended(Status.LOST, "was killed from outside (SIGKILL)")
