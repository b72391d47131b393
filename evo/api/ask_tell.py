"""`evo.Search`: ask for a candidate, evaluate it with a program of one's own, tell the result."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, Unpack

from evo.api.driving import DriverThread, SearchEnded
from evo.api.reading import Run
from evo.config.config import Config
from evo.config.options import ResumeOptions, SearchOptions, as_path, new_run_folder, resumed_config, sections_of
from evo.config.reading import load_config, overlaid, parse_config, suggest
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig
from evo.config.task import EXTERNAL, ExternalTask
from evo.runs.folder import RunFolder
from evo.runs.generation_zero import genome_files
from evo.runs.lifecycle import SearchDriver, read_config, resumed, started
from evo.search.events import Callback, CallbackObserver
from evo.standings.standings import Standings
from evo.store import EvaluationRecord, IndividualRecord, Outcome, Purpose, StoreView
from evo.workers.external import ExternalEvaluator, told
from trainer.errors import ConfigError, UsageError
from trainer.evaluation import Evaluation, Job, Status
from trainer.genome import split, unmarked
from trainer.objectives import CODE_LINES, is_comparable


class WaitingForResults(UsageError):  # noqa: N818 - named for what is the case
    """The next candidate depends on results that were not told yet."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An individual to be evaluated.

    Attributes:
        evaluation: number of the evaluation.
        individual: number of the individual.
        source: the whole program; several files follow one another in it (`files`).
        files: the content of each file by its name.
        seed: to be used for everything random, so that individuals that share seeds compare in pairs.
        purpose: why it is evaluated: `baseline` (a replicate of generation 0), `search`, `screen` (with a fraction of
            the budget), `replicate`, `sentinel`, or `confirm`.
        budget_fraction: of the budget's training time that this training gets.
        parents: ids; none for generation 0.
        operator: name of the operator that made it.
        idea: what was changed and why.
    """

    evaluation: int
    individual: int
    source: str
    files: Mapping[str, str]
    seed: int
    purpose: Purpose
    budget_fraction: float
    parents: tuple[int, ...]
    operator: str
    idea: str
    _slot: str
    _job: Job

    @property
    def is_confirmation(self) -> bool:
        """Whether this confirms a finalist, with a seed that selection has not seen."""
        return self.purpose is Purpose.CONFIRM


class Search:
    """A search whose candidates are evaluated by the program that uses it: ask for one, evaluate it, tell the result.

    Store, lineage, resumption, noise and confirmation are those of every run; `evo status`, `evo report` and the other
    commands work on its folder. The search itself runs in a thread of its own until the budget is spent or the search
    is closed. What is out when it is closed, or when the process ends, is asked for again after `Search.resume`.

        with evo.Search("train.py", objectives={"loss": "minimize"}, evaluations=64) as search:
            for candidate in search:
                search.tell(candidate, {"loss": train_and_measure(candidate.source, candidate.seed)})

    Args:
        genome: path of generation 0, a file or several.
        objectives: direction by name, `minimize` or `maximize`, the most important first; all are told of every
            candidate.
        select: names of the objectives of selection, by NSGA-II where several; the first of `objectives` by default.
        constraints: such as `memory < 70000`; what breaks one is worse than what keeps all.
        protect: code of generation 0 that no candidate may change, such as `evaluate` or `main.val_loss`.
        evaluations: the whole budget; whole generations of `pop`.
        out: the run's folder, absent or empty; `runs/<date>` by default.
        config: a TOML file with further settings.
        callbacks: called with every event, in the thread of the search.
        options: as for `run` (`evo.config.options.SearchOptions`); `workers` is how many candidates may be out at a
            time.

    Raises:
        UsageError: the input is wrong; nothing was written.
    """

    def __init__(
        self,
        genome: str | Path | Sequence[str | Path],
        objectives: Mapping[str, str],
        *,
        select: Sequence[str] = (),
        constraints: Sequence[str] = (),
        protect: Sequence[str] = (),
        evaluations: int | None = None,
        out: str | Path | None = None,
        config: str | Path | None = None,
        callbacks: Sequence[Callback] = (),
        **options: Unpack[SearchOptions],
    ) -> None:
        task = _external_task(genome, objectives, constraints, protect)
        resolved = _external_config(task, select, evaluations, config, options)

        def opened(observer: CallbackObserver, evaluator: ExternalEvaluator) -> AbstractContextManager[SearchDriver]:
            return started(resolved, path, observer, evaluator=evaluator)

        with new_run_folder(out) as path:
            self._begin(path, resolved, callbacks, opened)

    @classmethod
    def resume(
        cls, path: str | Path, *, callbacks: Sequence[Callback] = (), **options: Unpack[ResumeOptions]
    ) -> Search:
        """Continue a search that was closed or whose process ended.

        Args:
            path: the run's folder.
            callbacks: as for the constructor.
            options: what changes; `gens` is the total of generations.

        Raises:
            RunFolderError: there is no run at `path`.
            ConfigError: the run evaluates its candidates itself.
        """
        folder = as_path("path", path)
        changed = resumed_config(read_config(RunFolder.open(folder), Config), options)
        if not isinstance(changed.task, ExternalTask):
            raise ConfigError(f"{path} is a run that evaluates its candidates itself; continue it with evo.resume.")
        search = cls.__new__(cls)

        def opened(observer: CallbackObserver, evaluator: ExternalEvaluator) -> AbstractContextManager[SearchDriver]:
            return resumed(folder, observer, lambda stored: resumed_config(stored, options), evaluator=evaluator)

        search._begin(folder, changed, callbacks, opened)  # noqa: SLF001 - of its own class
        return search

    def _begin(
        self,
        path: Path,
        config: ResolvedConfig,
        callbacks: Sequence[Callback],
        opened: Callable[[CallbackObserver, ExternalEvaluator], AbstractContextManager[SearchDriver]],
    ) -> None:
        self.run = Run(path)
        self._expected = [name for name in config.task.measured if name != CODE_LINES.name]
        self._evaluator = ExternalEvaluator(config.workers.count or 1)
        self._observer = _AskTellObserver(callbacks, lambda: self._thread.interrupt(), self._evaluator)
        self._thread = DriverThread(lambda: opened(self._observer, self._evaluator))
        self._thread.open()
        atexit.register(self.close)

    def ask(self, *, wait: bool = False) -> Candidate:
        """Return the next candidate to evaluate, once it is made.

        Args:
            wait: wait, too, for results that other threads tell; without it, what would never end in a single thread is
                an error.

        Raises:
            SearchEnded: there is none, for the search has ended.
            WaitingForResults: the next one depends on results that were not told yet, or as many are out as may be.
        """
        return self._thread.call(self._next(wait=wait))

    def candidates(self, *, wait: bool = False) -> Iterator[Candidate]:
        """Yield what `ask` returns until the search has ended."""
        with contextlib.suppress(SearchEnded):
            while True:
                yield self.ask(wait=wait)

    def tell(
        self,
        candidate: Candidate,
        objectives: Mapping[str, float] | None = None,
        *,
        status: str | Status = Status.OK,
        reason: str = "",
    ) -> None:
        """Tell the result of a candidate; returns once the run's store holds it.

        Args:
            candidate: as `ask` returned it.
            objectives: the value of every objective; only where `status` is OK.
            status: `ok`, or what went wrong: `crashed`, `timed_out`, `out_of_memory`, `diverged`, `rejected`; `lost`
                where it was not the candidate's fault, which is then asked for again.
            reason: why, in one sentence.

        Raises:
            UsageError: a value is missing, unknown or not finite, or the candidate was told before; it stays out.
            SearchEnded: the search was closed before the result was stored.
        """
        evaluation = self._evaluation(candidate, objectives, status, reason)
        self._thread.call(self._tell(candidate, evaluation))

    def close(self) -> None:
        """End the search after saving; does nothing when it has ended. What is out is asked for again on resumption."""
        atexit.unregister(self.close)
        self._thread.interrupt()
        self._thread.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Candidate]:
        return self.candidates()

    async def _next(self, *, wait: bool) -> Candidate:
        evaluator = self._evaluator
        while True:
            if (taken := evaluator.take()) is not None:
                return self._observer.candidate(*taken, self._thread.driver.store)
            proposing, evaluating = self._thread.driver.search.under_way
            # Between two steps: what is told and not yet taken in still counts as being evaluated, and not as out.
            depends_on_results = not proposing or evaluating == len(evaluator.workers)
            if not wait and evaluator.out == evaluating > 0 and depends_on_results:
                raise WaitingForResults(
                    f"The next candidate depends on results, and {evaluating} of at most {len(evaluator.workers)} "
                    "candidates have none yet. Tell one first, or allow more at a time: workers=N."
                )
            evaluator.changed.clear()
            await evaluator.changed.wait()

    async def _tell(self, candidate: Candidate, evaluation: Evaluation) -> None:
        is_out = self._observer.has_begun(candidate)
        if not (is_out and self._evaluator.tell(candidate._slot, candidate._job, evaluation)):  # noqa: SLF001 - its own
            raise UsageError(f"Evaluation {candidate.evaluation} has a result already, or was not asked for.")
        await self._observer.stored(candidate.evaluation)

    def _evaluation(
        self, candidate: Candidate, objectives: Mapping[str, float] | None, status: str | Status, reason: str
    ) -> Evaluation:
        """Return what was told as an evaluation; raise UsageError when it cannot be one."""
        from trainer.supervisor.measurements import code_lines

        if not isinstance(candidate, Candidate):
            raise UsageError(f"`candidate` must be one that `ask` returned, but it was {candidate!r}.")
        if status not in [*Status]:
            raise UsageError(f"`status` must be one of {', '.join(Status)}, but it was {status!r}.")
        if not isinstance(reason, str):
            raise UsageError(f"`reason` must be a text, such as str(error), but it was {reason!r}.")
        if status != Status.OK:
            if objectives:
                raise UsageError(f"Only a candidate that ended ok has objectives, but this one ended {status}.")
            return told(candidate.seed, Status(status), {}, reason or f"told to have ended {status}")
        wanted = ", ".join(self._expected)
        if not isinstance(objectives, Mapping | None):
            raise UsageError(f"Expected a value for each of {wanted} by its name, but got {objectives!r}.")
        values = objectives or {}
        if {*values} != {*self._expected}:
            given = ", ".join(map(str, values)) or "none"
            raise UsageError(f"Expected a value for each of {wanted}, but got {given}.")
        try:
            measured = {name: float(value) for name, value in values.items()}
        except (TypeError, ValueError, OverflowError) as error:
            raise _no_numbers(error) from None
        if not all(map(is_comparable, measured.values())):
            raise _no_numbers(f"they were {measured}")
        measured[CODE_LINES.name] = float(code_lines(candidate._job.genome))  # noqa: SLF001 - of this module
        return told(candidate.seed, Status.OK, measured, reason)


def _no_numbers(why: object) -> UsageError:
    return UsageError(
        f"Objectives must be finite numbers, at most 1e100: {why}. A candidate without them did not end ok: "
        "tell(candidate, status='diverged', reason=…)."
    )


class _AskTellObserver(CallbackObserver):
    """Keeps which evaluation each slot has, and which results are waited for; all in the thread of the search."""

    def __init__(self, callbacks: Sequence[Callback], stop: Callable[[], None], evaluator: ExternalEvaluator) -> None:
        super().__init__(callbacks, stop)
        self._evaluator = evaluator
        self._begun: dict[str, EvaluationRecord] = {}
        self._waiting: dict[int, asyncio.Event] = {}

    def candidate(self, slot: str, job: Job, store: StoreView) -> Candidate:
        record = self._begun[slot]
        individual = store.individual(record.individual)
        return Candidate(
            evaluation=record.id,
            individual=record.individual,
            source=unmarked(job.genome),
            files=split(job.genome, genome_files(store)),
            seed=record.seed,
            purpose=record.purpose,
            budget_fraction=record.budget_fraction,
            parents=individual.parents,
            operator=individual.operator,
            idea=individual.idea,
            _slot=slot,
            _job=job,
        )

    def has_begun(self, candidate: Candidate) -> bool:
        """Return whether a candidate, or a copy from another process, is what its slot evaluates or did last."""
        begun = self._begun.get(candidate._slot)  # noqa: SLF001 - of this module
        return begun is not None and begun.id == candidate.evaluation

    async def stored(self, evaluation: int) -> None:
        """Wait until the result of an evaluation is stored, or the evaluation is known to run again."""
        settled = self._waiting.setdefault(evaluation, asyncio.Event())
        try:
            await settled.wait()
        except asyncio.CancelledError:
            if not settled.is_set():  # else it was the last result, and the search has ended since
                raise
        finally:
            del self._waiting[evaluation]

    def started(self, evaluation: EvaluationRecord, worker: str, running: int) -> None:
        self._begun[worker] = evaluation
        super().started(evaluation, worker, running)

    def refused(self, proposal: int, operator: str, kind: str, reason: str) -> None:
        self._evaluator.changed.set()
        super().refused(proposal, operator, kind, reason)

    def finished(self, individual: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> None:
        self._settle(outcome.evaluation)
        super().finished(individual, outcome, standings, reason)

    def lost(self, evaluation: EvaluationRecord, reason: str) -> None:
        self._settle(evaluation.id)
        super().lost(evaluation, reason)

    def note(self, message: str) -> None:
        self._evaluator.changed.set()
        super().note(message)

    def _settle(self, evaluation: int) -> None:
        if evaluation in self._waiting:
            self._waiting[evaluation].set()
        self._evaluator.changed.set()


def _external_task(
    genome: str | Path | Sequence[str | Path],
    objectives: Mapping[str, str],
    constraints: Sequence[str],
    protect: Sequence[str],
) -> dict[str, Any]:
    """Return the section `[task]` of a search whose candidates a program of the user's evaluates."""
    named = genome if isinstance(genome, Sequence) and not isinstance(genome, str | bytes) else [genome]
    files = [as_path("genome", one).resolve() for one in named]
    if not files:
        raise UsageError("`genome` must name one file at least, but it was empty.")
    if not isinstance(objectives, Mapping) or not objectives or not all(isinstance(name, str) for name in objectives):
        raise UsageError(
            "`objectives` must hold `minimize` or `maximize` by name, such as {'loss': 'minimize'}, but it was "
            f"{objectives!r}."
        )
    root = files[0].parent if len(files) == 1 else Path(os.path.commonpath(files))
    return {
        "kind": EXTERNAL,
        "root": str(root),
        "genome": [str(file.relative_to(root)) for file in files],
        "objectives": {name: {"direction": direction} for name, direction in objectives.items()},
        "constraints": constraints,
        "protect": protect,
    }


def _selected(names: Sequence[str], measured: Iterable[str]) -> Sequence[str] | None:
    """Return the objectives of selection that `select` names; None where it names none."""
    if not isinstance(names, list | tuple):
        raise UsageError(f"`select` must be a list of objectives, but it was {names!r}.")
    for name in names:
        if name not in measured:
            raise UsageError(f"`select` names {name!r}, which is not measured; {suggest(str(name), measured)}")
    return names or None


def _external_config(
    task: dict[str, Any],
    select: Sequence[str],
    evaluations: int | None,
    file: str | Path | None,
    options: SearchOptions,
) -> ResolvedConfig:
    """Return the resolved configuration of such a search."""
    data = load_config(None if file is None else as_path("config", file)).model_dump(mode="json", exclude_none=True)
    for key in ("objectives", "front"):
        del data["search"][key]  # they follow the task
    config = overlaid(parse_config(data | {"task": task}, "evo.Search"), sections_of(options))
    if config.workers.kind != "local":
        raise ConfigError(
            "`workers` must be how many candidates may be out at a time, since a program of yours evaluates them, but "
            f"it was {config.workers.address}."
        )
    search: dict[str, Any] = {"objectives": _selected(select, config.task.measured)}
    if evaluations is not None:
        is_whole = isinstance(evaluations, int) and evaluations > 0 and evaluations % config.search.pop == 0
        if options.get("gens") is not None or not is_whole:
            raise ConfigError(
                f"`evaluations` must be whole generations of pop={config.search.pop}, and `gens` left out, but they "
                f"were {evaluations!r} and {options.get('gens')}."
            )
        search["gens"] = evaluations // config.search.pop
    # Nothing runs on this machine, so no isolation has to be found.
    return resolve(overlaid(config, {"search": search, "workers": {"sandbox": "process-group"}}))
