"""A driver of whole runs for tests: everything real but training, in processes that can be killed at named moments.

`Drivers` holds one process that has imported everything and forks a driver for each command, which takes milliseconds.
A driver starts the run in its folder, or resumes it. `kill` names a moment and how often it passes before the driver
kills itself there; the moments are the methods of `_Killing…` below.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from paced_evaluator import PacedEvaluator

import evo.runs.assemble
from evo.config.config import Config
from evo.config.reading import overlaid, parse_config
from evo.config.resolution import resolve
from evo.lineage import Lineage
from evo.runs import lifecycle as runs
from evo.runs.folder import RunFolder
from evo.runs.generation_zero import read_genome
from evo.search.breeding import Breeder, Draft
from evo.search.observer import Observer
from evo.store import Store
from trainer.errors import EvoError

_SEED = read_genome("")


@dataclass(frozen=True)
class Command:
    """What a driver is to do.

    Attributes:
        path: the run's folder.
        config: of a new run, by section.
        changes: to the configuration of a run that is resumed, by section.
        evaluator: arguments of `PacedEvaluator`.
        environment: added to the process's own.
        ignored: signals that the process ignores from its start, as under `nohup`.
        largest_file_bytes: what the kernel lets the process write into one file, as a full disk would.
        user: id of the user to become; 0 stays who it is.
        kill: moment and how often it passes, such as ("launched", 3).
    """

    path: str
    config: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    evaluator: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[int] = ()
    largest_file_bytes: int = 0
    user: int = 0
    kill: tuple[str, int] | None = None


class _Moments:
    """Counts the moments and dies at the chosen one."""

    def __init__(self) -> None:
        self.chosen: tuple[str, int] | None = None

    def passed(self, name: str) -> None:
        if self.chosen is None or self.chosen[0] != name:
            return
        self.chosen = (name, self.chosen[1] - 1)
        if self.chosen[1] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


moments = _Moments()


class _KillingJournal:
    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self.request, self.exchange = journal.request, journal.exchange
        self.record_abandoned, self.record_stand_in = journal.record_abandoned, journal.record_stand_in

    def record_request(self, turn: int, request: Any) -> None:
        moments.passed("before the request is journaled")
        self._journal.record_request(turn, request)
        moments.passed("before the request is sent")

    def record_exchange(self, turn: int, exchange: Any) -> None:
        moments.passed("before the reply is journaled")
        self._journal.record_exchange(turn, exchange)
        moments.passed("before the reply is used")


class _KillingStore(Store):
    def journal(self, number: int) -> Any:
        return _KillingJournal(super().journal(number))

    def begin_proposal(self, *arguments: Any, **named: Any) -> None:
        super().begin_proposal(*arguments, **named)
        moments.passed("before the proposal is committed")

    def admit(self, *arguments: Any, **named: Any) -> tuple[int, ...]:
        moments.passed("before the individual is recorded")
        return super().admit(*arguments, **named)

    def launch(self, *arguments: Any) -> int:
        attempt = super().launch(*arguments)
        moments.passed("before the launch is committed")
        return attempt

    def finish(self, *arguments: Any) -> int | None:
        moments.passed("before the result is recorded")
        result_number = super().finish(*arguments)
        moments.passed("before the result is committed")
        return result_number

    def release_all_running(self, reason: str) -> int:
        moments.passed("before the restored release their evaluations")
        released = super().release_all_running(reason)
        moments.passed("before the restored project")
        return released

    def set_meta(self, key: str, value: str) -> None:
        moments.passed(f"before {key} is set")
        super().set_meta(key, value)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with super().transaction():
            yield
        moments.passed("between the store and git")


class _KillingLineage(Lineage):
    def project(self, *arguments: Any) -> str:
        moments.passed("before the commit is written")
        return super().project(*arguments)

    def _point(self, ref: str, target: str) -> None:
        moments.passed("before the ref is written")
        super()._point(ref, target)

    def project_notes(self, *arguments: Any) -> None:
        moments.passed("before the notes are written")
        super().project_notes(*arguments)


class _KillingBreeder(Breeder):
    def begin(self, number: int, *, is_local: bool = False) -> Draft:
        moments.passed("before the parents are selected")
        return super().begin(number, is_local=is_local)


class _KillingFolder(RunFolder):
    def seal(self, config: str) -> None:
        moments.passed("before the configuration is written")
        super().seal(config)
        moments.passed("after the configuration is written")


class _KillingEvaluator(PacedEvaluator):
    async def evaluate(self, slot: Any, job: Any) -> Any:
        moments.passed("while a candidate trains")
        result = await super().evaluate(slot, job)
        moments.passed("after a candidate was scored")
        return result


def drive(command: Command) -> int:
    """Start or resume the run and return the exit code of its driver."""
    os.environ.update(command.environment)
    for number in command.ignored:
        signal.signal(number, signal.SIG_IGN)
    if command.largest_file_bytes:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (command.largest_file_bytes, resource.RLIM_INFINITY))
    if command.user:
        os.setgroups([])
        os.setgid(command.user)
        os.setuid(command.user)
    moments.chosen = command.kill
    evaluator = _KillingEvaluator(_SEED, **command.evaluator)
    runs.read_generation_zero = lambda config: _SEED  # type: ignore[assignment]
    runs.build_evaluator = lambda *_: evaluator  # type: ignore[assignment]
    runs.prepare_materials = lambda *_, **__: SimpleNamespace(vocab_size=2048)  # type: ignore[assignment]
    runs.Store, runs.Lineage, runs.RunFolder = _KillingStore, _KillingLineage, _KillingFolder  # type: ignore[misc]
    evo.runs.assemble.Breeder = _KillingBreeder  # type: ignore[misc]
    path = Path(command.path)
    try:
        if (path / "config.toml").exists():
            stopped = runs.resume(path, Observer(), lambda stored: resolve(_overlaid(stored, command.changes)))
        else:
            stopped = runs.start(resolve(parse_config(command.config)), path, Observer())
    except EvoError as error:
        print(error, file=sys.stderr)  # noqa: T201 - as the command line does
        return error.exit_code
    if stopped.stop_reason == "complete":
        return 0
    print(stopped.reason, file=sys.stderr)  # noqa: T201 - as the command line does
    return 1


def _overlaid(stored: Config, changes: Mapping[str, Any]) -> Config:
    return overlaid(stored, changes) if changes else stored


class Driver:
    """A driver under way."""

    def __init__(self, pid: int, drivers: Drivers) -> None:
        self.pid = pid
        self._drivers = drivers

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended_within(self, seconds: float) -> bool:
        """Wait a while; return whether it ended."""
        return bool(select.select([self._drivers.output], [], [], seconds)[0])

    def wait(self) -> int:
        """Return the exit code, negative for the signal that ended it."""
        code: int = json.loads(self._drivers.output.readline())
        return code


class Drivers:
    """Runs one driver after the other.

    Args:
        errors: where their stderr goes.
        hash_seed: of Python's string hashes.
        development: whether Python reports, slowly, what is left open or pending.
    """

    def __init__(self, errors: Path, hash_seed: int = 0, *, development: bool = False) -> None:
        self.errors = errors
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
        with errors.open("w") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", *(["-X", "dev"] if development else []), __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                bufsize=0,
                env={**environment, "PYTHONHASHSEED": str(hash_seed)},
            )
        assert self._process.stdout is not None
        self.output = self._process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()

    def begin(self, command: Command) -> Driver:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(command)).encode() + b"\n")
        return Driver(json.loads(self.output.readline()), self)

    def run(self, command: Command) -> int:
        return self.begin(command).wait()

    def said(self) -> str:
        """Return everything the drivers wrote to stderr."""
        return self.errors.read_text()


def _serve() -> None:
    for line in sys.stdin:
        fields = json.loads(line)
        command = Command(**{**fields, "kill": fields["kill"] and tuple(fields["kill"])})
        pid = os.fork()
        if not pid:
            sys.stdin.close()
            code = 99
            try:
                code = drive(command)
            finally:
                sys.stderr.flush()
                if code == 99:
                    sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
                os._exit(code)
        print(pid, flush=True)  # noqa: T201 - the protocol
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)  # noqa: T201 - the protocol


if __name__ == "__main__":
    # Development mode also reports what was slow, which says something about the machine only.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    _serve()
