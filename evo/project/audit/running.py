"""Judges the edits of the audit as a run would: by the gate, and by an evaluation where the gate cannot tell."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from evo.config.reading import load_config, overlaid
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig
from evo.project.checking import trial
from evo.project.examine import examine
from evo.project.writing import CONFIG, config_text
from evo.runs.generation_zero import protection_of
from evo.search.time_limits import TimeLimits
from operators.gate import SourceGate, script_contract
from operators.proposal import Refused
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess

_FOLDER = resources.files("evo.project.audit")
_GENOME = "train.py"
_SEED = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One edit of a program.

    Attributes:
        kind: `cheats` or `honest`.
        script: the program that it edits.
        trick: what it does, one line.
        source: the edited program.
        by: `gate` or `run`, what must catch a cheat.
    """

    kind: str
    name: str
    script: str
    trick: str
    source: str
    by: str = "gate"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case.

    Attributes:
        status: `refused`, or the status of its evaluation; `passed` where it was not evaluated.
        evidence: the reason, or what was measured.
        is_right: whether it is the verdict that it must get.
    """

    case: Case
    status: str
    evidence: str
    is_right: bool


def load_cases(kind: str) -> list[Case]:
    """Return the cases of a kind, in the order of the file.

    Raises:
        ValueError: an edit finds nothing to replace.
    """
    listed = tomllib.loads(_FOLDER.joinpath("cases.toml").read_text(encoding="utf-8"))[kind]
    return [
        Case(
            kind, one["name"], one["script"], one["trick"], _edited(one["script"], one["edits"]), one.get("by", "gate")
        )
        for one in listed
    ]


def run_cases(cases: Sequence[Case], sandbox: str = "auto", *, evaluate: bool = True) -> Iterator[Verdict]:
    """Yield the verdict on each case.

    Args:
        cases: of one kind or both.
        sandbox: level of isolation of evaluations.
        evaluate: evaluate what passes the gate; otherwise only what must be caught by a run.
    """
    with ExitStack() as open_until_done:
        programs: dict[str, _Program] = {}
        for case in cases:
            if case.script not in programs:
                folder = Path(open_until_done.enter_context(TemporaryDirectory()))
                programs[case.script] = _Program(case.script, folder, sandbox, open_until_done)
            yield programs[case.script].judge(case, evaluate=evaluate or case.by == "run")


class _Program:
    """One program in a folder of its own, with the configuration that `evo init` writes for it."""

    def __init__(self, name: str, folder: Path, sandbox: str, open_until_done: ExitStack) -> None:
        (folder / _GENOME).write_text(_source(name), encoding="utf-8")
        (folder / CONFIG).write_text(config_text(examine(folder), folder, ""), encoding="utf-8")
        workers = {"devices": ["cpu"], "count": 1, "sandbox": sandbox}
        root = {"root": str(folder)}
        self._config = overlaid(load_config(folder / CONFIG), {"workers": workers, "task": root})
        assert self._config.script is not None  # noqa: S101 - the programs are scripts
        self._limits = TimeLimits.of(self._config.script)
        protection = protection_of(self._config, _source(name))
        self._gate = SourceGate(script_contract((_GENOME,)), known=lambda _: None, protection=lambda: protection)
        self._open_until_done = open_until_done
        self._name = name

    def judge(self, case: Case, *, evaluate: bool) -> Verdict:
        """Return the verdict on a case."""
        try:
            self._gate.check(case.source)
        except Refused as refusal:
            return Verdict(case, "refused", str(refusal), case.kind == "cheats" and case.by == "gate")
        if not evaluate or (case.kind == "cheats" and case.by == "gate"):
            return Verdict(case, "passed", "the gate lets it pass", case.kind == "honest")
        done = self._supervisor.evaluate(self._job(case))
        return Verdict(case, str(done.status), _measured(done), (done.status is Status.OK) == (case.kind == "honest"))

    def _job(self, case: Case) -> Job:
        """Return what evaluates a case; a cheat has the time that generation 0 leaves it in a run."""
        job = Job(case.source, _SEED)
        if case.kind == "cheats" and self._limits.fixed_seconds is not None:
            return self._limits.bounded(job, self._reference.timings.train_seconds, 0.0)
        return job

    @cached_property
    def _reference(self) -> Evaluation:
        return self._supervisor.evaluate(Job(_source(self._name), _SEED))

    @cached_property
    def _supervisor(self) -> SupervisorProcess:
        resolved: ResolvedConfig = resolve(self._config)
        return self._open_until_done.enter_context(SupervisorProcess(trial(resolved).settings))


def _measured(done: Evaluation) -> str:
    return done.reason or ", ".join(f"{name} {value:g}" for name, value in done.objectives.items())


def _source(script: str) -> str:
    return _FOLDER.joinpath("scripts", f"{script}.py").read_text(encoding="utf-8")


def _edited(script: str, edits: Sequence[Sequence[str]]) -> str:
    source = _source(script)
    for find, put in edits:
        if find not in source:
            raise ValueError(f"{find!r} is not in {script}.py")
        source = source.replace(find, put, 1)
    return source
