"""A supervisor on this machine, as an object: start it, hand it jobs, end it.

This is all that a worker needs, on the driver's machine or on a remote one.
"""

from __future__ import annotations

import subprocess
from typing import Self

from trainer.errors import MachineError
from trainer.evaluation import Evaluation, Job, Status
from trainer.ipc.channel import Channel, ChannelClosed, Message
from trainer.machine.control_group import sweep_groups
from trainer.machine.processes import is_stopped
from trainer.machine.scratch import sweep
from trainer.sandbox import Level, python_command, trusted_environment
from trainer.script import ScriptSettings
from trainer.settings import Settings

_START_SECONDS = 1200.0
_END_PATIENCE_SECONDS = 15.0  # longer than a supervisor hunts for the processes of its candidates
_LOOK_SECONDS = 2.0
_STOP_PATIENCE_SECONDS = 10.0


WorkerSettings = Settings | ScriptSettings
"""One worker's settings, by the kind of its task."""


class SupervisorStopped(Exception):  # noqa: N818 - a finding
    """The supervisor does not run on: it was stopped by a signal, and nothing has continued it."""


class SupervisorSilent(Exception):  # noqa: N818 - a finding
    """The supervisor runs, but did not answer within the time in which it ends everything itself."""


class SupervisorProcess:
    """One supervisor in a process of its own, whose candidates run under the isolation `sandbox`.

    Raises:
        MachineError: it did not start; says why.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._closing = False
        self._channel, inherited = Channel.pair()
        with inherited:
            self._process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
                python_command(_module(settings), str(inherited.fileno())),
                env=trusted_environment(threads=1),
                stdin=subprocess.DEVNULL,
                pass_fds=(inherited.fileno(),),
                # Ctrl-C in the driver's terminal must reach the driver alone.
                start_new_session=True,
            )
        self.sandbox = self._handshake()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        return self._process.pid

    def evaluate(self, job: Job) -> Evaluation:
        """Evaluate one job, blocking; LOST when the supervisor ends meanwhile (also through `close` from elsewhere)."""
        try:
            self._channel.send({"event": "job", "job": job.to_json()})
            answer = self._answer(self._settings.longest_seconds(job))
        except SupervisorStopped:
            # Below the levels that hide it, a candidate can stop it; above, whoever did is not the candidate.
            if self.sandbox == Level.PROCESS_GROUP:
                return self._verdict(job, Status.REJECTED, "stopped its supervisor (SIGSTOP)")
            return self._verdict(job, Status.LOST, "the supervisor was stopped (SIGSTOP)")
        except (ChannelClosed, OSError) as error:
            return self._lost(job, f"the supervisor ended before its verdict ({error})")
        except SupervisorSilent as error:
            return self._lost(job, f"the supervisor {error}")
        if answer["event"] == "failed":
            return self._lost(job, str(answer["reason"]))
        return Evaluation.from_json(answer["evaluation"])

    @property
    def alive(self) -> bool:
        """Whether the supervisor still runs and may be given jobs."""
        return not self._closing and self._process.poll() is None

    def close(self) -> None:
        """Close the line, at which the supervisor ends its candidates and itself; wait for that, and clean up."""
        self._closing = True
        self._channel.shut()
        patience = 0.0 if is_stopped(self._process.pid) else _END_PATIENCE_SECONDS
        try:
            self._process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._channel.close()
        sweep_groups()
        sweep(self._settings.scratch)

    def _answer(self, seconds: float) -> Message:
        """Wait for the supervisor's next message.

        Time counts in looks at it, so that none is held against it in which this process itself stood still.

        Raises:
            SupervisorStopped: it is stopped for long.
            SupervisorSilent: it says nothing for so many seconds.
        """
        looks = stopped = 0
        while (answer := self._channel.take()) is None:
            if looks * _LOOK_SECONDS >= seconds:
                raise SupervisorSilent(f"did not answer within {seconds:.0f} s")
            self._channel.wait(_LOOK_SECONDS)
            looks += 1
            stopped = stopped + 1 if is_stopped(self._process.pid) else 0
            if stopped * _LOOK_SECONDS > _STOP_PATIENCE_SECONDS:
                raise SupervisorStopped
        return answer

    def _lost(self, job: Job, reason: str) -> Evaluation:
        return self._verdict(job, Status.LOST, reason)

    def _verdict(self, job: Job, status: Status, reason: str) -> Evaluation:
        self.close()
        return Evaluation(
            status=status,
            seed=job.seed,
            device=self._settings.device_name,
            clock=self._settings.clock,
            sandbox=self.sandbox,
            reason=reason,
        )

    def _handshake(self) -> str:
        try:
            self._channel.send({"event": "start", "settings": self._settings.to_json()})
            answer = self._answer(_START_SECONDS)
        except SupervisorStopped:
            self.close()
            raise MachineError(f"The supervisor of {self._settings.device} was stopped while it started.") from None
        except SupervisorSilent as error:
            self.close()
            raise MachineError(f"The supervisor of {self._settings.device} {error} while it started.") from error
        except ChannelClosed as error:
            self.close()
            raise MachineError(
                f"The supervisor of {self._settings.device} ended with code {self._process.returncode} while it "
                "started; its message stands above."
            ) from error
        if answer["event"] == "failed":
            self.close()
            raise MachineError(str(answer["reason"]))
        return str(answer["sandbox"])


def _module(settings: WorkerSettings) -> str:
    return "trainer.script" if isinstance(settings, ScriptSettings) else "trainer.supervisor"
