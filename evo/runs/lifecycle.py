"""Starting, resuming and opening runs: a run's folder, lock, store and lineage around a search."""

from __future__ import annotations

import asyncio
import gc
import shutil
import threading
import tomllib
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from evo.config.config import Config
from evo.config.reading import parse_as
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig, StoredConfig
from evo.errors import DamagedConfig
from evo.lineage import Lineage
from evo.runs.assemble import (
    build_evaluator,
    build_halving,
    build_operators,
    build_search,
    instructions_file,
    read_standings,
)
from evo.runs.extension import BudgetExtension
from evo.runs.folder import RunFolder
from evo.runs.generation_zero import Programs, keep_genome_files, read_programs
from evo.runs.lost_calls import record_lost_calls
from evo.runs.materials import PrepareProgress, keep_materials, prepare_materials, refuse_other_materials
from evo.runs.open_files import allow_open_files
from evo.runs.provenance import comparability, read_starts, record_start
from evo.runs.results_table import write_results_table
from evo.runs.sealing import CONFIG_SHA256, config_file, config_to_go_on_with, finish_sealing, seal, sealed_config
from evo.runs.signals import heeding_signals
from evo.search.observer import Observer
from evo.search.placement import choose_reference
from evo.search.search import Search, Stopped, StopReason
from evo.standings.plan import make_plan
from evo.standings.standings import Standings
from evo.steering.inbox import Inbox
from evo.steering.rules import Committed
from evo.store import Store, StoreView
from evo.text import sha256
from evo.workers import Evaluator
from operators.choice import OperatorChoice
from trainer.errors import ConfigError, EvoError, counted
from trainer.machine.processes import refuse_inspection

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_COLLECTION_THRESHOLD = 100_000
_ConfigT = TypeVar("_ConfigT", bound=Config)


@dataclass(frozen=True, slots=True)
class Viewed:
    """A run opened for reading: live, killed or finished."""

    folder: RunFolder
    config: StoredConfig
    store: StoreView
    standings: Standings


@contextmanager
def view(path: Path) -> Iterator[Viewed]:
    """Open a run for reading.

    Raises:
        RunFolderError: there is no run at `path`.
        StoreError: its store cannot be read.
    """
    folder = RunFolder.open(path)
    config = read_config(folder, StoredConfig)
    with Store.read(folder.store) as store:
        yield Viewed(folder, config, store, read_standings(config, store))


def read_config(folder: RunFolder, kind: type[_ConfigT], *, with_edits: bool = False) -> _ConfigT:
    """Return the configuration that a run was last driven with, whatever became of its `config.toml`.

    With edits, it is what `config.toml` says now, unless that is damaged.

    Raises:
        RunFolderError: neither the store nor `config.toml` has it.
    """
    sealed = sealed_config(folder)
    if sealed is None:
        return _parsed(folder, kind, config_file(folder, sealed))
    text = sealed
    if with_edits:
        with suppress(DamagedConfig):
            text = config_file(folder, sealed)
    return _parsed(folder, kind, text)


def _parsed(folder: RunFolder, kind: type[_ConfigT], text: str) -> _ConfigT:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DamagedConfig(
            f"The configuration in {folder.store} is no TOML: {error}. Restore it from a copy."
        ) from error
    return parse_as(kind, tables, str(folder.config))


@contextmanager
def started(
    config: ResolvedConfig,
    path: Path,
    observer: Observer,
    progress: PrepareProgress | None = None,
    evaluator: Evaluator | None = None,
    programs: Programs | None = None,
) -> Iterator[SearchDriver]:
    """Make a new run and yield its driver.

    Everything that can be wrong with the input is found before the folder is made; one exception is a generation 0 that
    fails when it is run.

    Args:
        path: of the run's folder; absent or empty.
        observer: receives everything worth seeing.
        progress: receives the preparation of the data.
        evaluator: evaluates candidates; the workers of the configuration by default.
        programs: what the run starts from; what the configuration names by default.
    """
    refuse_inspection()  # the key of the language model stands in this process's environment
    allow_open_files(len(config.devices))
    devices = [slot.device for slot in evaluator.workers] if evaluator else config.devices
    choose_reference(devices, config.workers.reference_device)
    source, others = programs or read_programs(config)
    _refuse_many_seed_genomes(config, len(others))
    materials = prepare_materials(config, progress)
    operators = build_operators(config, materials=materials)
    evaluator = evaluator or build_evaluator(config, materials, RunFolder(path).live)
    folder = RunFolder.create(path)
    with folder.lock(), Store.create(folder.store) as store:
        keep_genome_files(store, config.task.genome_files)
        keep_materials(store, materials)
        lineage = Lineage.open(folder.lineage, config.task.genome_files)
        search = _search(folder, config, store, lineage, evaluator, operators, observer)
        search.begin(source, others)
        seal(folder, store, config)
        record_start(store, config)
        yield SearchDriver(search, folder, store, lineage, observer)


def _search(
    folder: RunFolder,
    config: ResolvedConfig,
    store: Store,
    lineage: Lineage,
    evaluator: Evaluator,
    operators: OperatorChoice,
    observer: Observer,
) -> Search:
    """Return the search of a run that can be steered by what is put into its folder."""
    return build_search(
        config,
        store,
        lineage,
        evaluator,
        operators,
        observer,
        config.device_kind,
        inbox=Inbox(folder.steering),
        lessons_file=folder.lessons,
        extension=BudgetExtension(folder, config, store),
        program_file=instructions_file(config),
    )


@contextmanager
def resumed(
    path: Path,
    observer: Observer,
    change: Callable[[Config], ResolvedConfig] = resolve,
    *,
    accept_changes: bool = False,
    progress: PrepareProgress | None = None,
    evaluator: Evaluator | None = None,
) -> Iterator[SearchDriver]:
    """Open a run that was stopped or killed and yield its driver, which takes the identical next decision.

    Args:
        observer: receives everything worth seeing.
        change: resolves the stored configuration on this machine, with flags over it; recorded as an event.
        accept_changes: record a `config.toml` that was edited since, instead of refusing it.
        progress: receives the preparation of the data.
        evaluator: as for `started`.

    Raises:
        ConfigError: `config.toml` was edited since the run was last driven, or the budget is less than what is spent.
    """
    refuse_inspection()
    folder = RunFolder.open(path)
    with folder.lock(), Store.open(folder.store) as store:
        finish_sealing(folder, store)
        text = config_to_go_on_with(folder, store, observer)
        if sha256(text) != store.meta(CONFIG_SHA256) and not accept_changes:
            raise ConfigError(
                f"{folder.config} was edited since this run was last driven, and results under different settings are "
                "not comparable. Undo the edit (without the file, `evo resume` writes it again as it was), or give "
                "--accept-changes to go on and record the change."
            )
        config = change(_parsed(folder, Config, text))
        allow_open_files(len(config.devices))
        _refuse_small_budget(config, store)
        materials = prepare_materials(config, progress)
        refuse_other_materials(store, materials)
        if lost := record_lost_calls(store, config):
            what = f"{counted(lost, 'call')} of a language model had no reply when the last driver was killed"
            observer.note(f"{what}: the prompts count as paid for.")
        operators = build_operators(config, store.spending().cost_usd, materials)
        evaluator = evaluator or build_evaluator(config, materials, RunFolder(path).live)
        lineage = Lineage.open(folder.lineage, config.task.genome_files)
        search = _search(folder, config, store, lineage, evaluator, operators, observer)
        seal(folder, store, config)
        record_start(store, config)
        if change_of_ground := comparability(read_starts(store)):
            observer.note(change_of_ground)
        yield SearchDriver(search, folder, store, lineage, observer)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the garbage collector look at what is young, and seldom.

    A driver parses source after source: trees of tens of thousands of nodes without cycles, for which collections at
    the usual thresholds take a fifth of its time and find nothing.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_COLLECTION_THRESHOLD, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class SearchDriver:
    """Drives the search of an open run, in the thread that opened it."""

    def __init__(self, search: Search, folder: RunFolder, store: Store, lineage: Lineage, observer: Observer) -> None:
        self.search = search
        self.store = store
        self._folder = folder
        self._lineage = lineage
        self._observer = observer
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_ended = False
        self._is_interrupted = False

    def drive(self) -> Stopped:
        """Search until the budget is spent or something stops it; the calling thread must have no running loop."""
        try:
            with rare_collections():
                self.search.restore()
                stopped = asyncio.run(self._run())
        except EvoError as error:
            # The error is the news; what fails after it, mostly for the same reason, would hide it.
            with suppress(EvoError):
                self._conclude(Stopped(StopReason.FAILED, str(error)))
            raise
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()
        self._conclude(stopped)
        return stopped

    def interrupt(self) -> None:
        """Stop soon, after saving; safe from any thread, before, during and after `drive`."""
        with self._changed:
            self._is_interrupted = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.search.interrupt)

    def submit(self, work: Coroutine[Any, Any, _Result]) -> Future[_Result] | None:
        """Run a coroutine between the steps of the search, from another thread; None when the search has ended.

        Waits for `drive` to begin. What is under way when the search ends is cancelled.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._loop is not None or self._has_ended)
            if self._loop is None:
                work.close()
                return None
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _run(self) -> Stopped:
        with self._changed:
            self._loop = asyncio.get_running_loop()
            self._changed.notify_all()
            if self._is_interrupted:
                self.search.interrupt()
        try:
            return await heeding_signals(self.search.run(), self.search.interrupt)
        finally:
            with self._changed:
                self._loop, self._has_ended = None, True
            await asyncio.sleep(0)  # what was submitted until now becomes a task, which the end of the loop cancels

    def _conclude(self, end: Stopped) -> None:
        self.store.record_event("stopped", {"ending": end.stop_reason, "reason": end.reason})
        shutil.rmtree(self._folder.live, ignore_errors=True)
        write_results_table(self._folder, self.store, self._lineage, self.search.standings)
        self._observer.ended(end)


def _driven(opened: Callable[_Arguments, AbstractContextManager[SearchDriver]]) -> Callable[_Arguments, Stopped]:
    """Return the function that opens a run as `opened` does, and searches until its budget is spent."""

    def drive(*arguments: _Arguments.args, **keywords: _Arguments.kwargs) -> Stopped:
        with opened(*arguments, **keywords) as driver:
            return driver.drive()

    return drive


start = _driven(started)
"""Make a new run and search until its budget is spent; arguments and errors as for `started`."""

resume = _driven(resumed)
"""Continue a run until its budget is spent; arguments and errors as for `resumed`."""


def _refuse_many_seed_genomes(config: Config, others: int) -> None:
    plan = make_plan(config)
    if others and plan.baseline + others >= plan.search_end:
        raise ConfigError(
            f"{counted(others, 'seed genome')} beside generation 0 would leave nothing to the search: of "
            f"{counted(plan.evaluations, 'evaluation')} generation 0 takes {plan.baseline} and the confirmation "
            f"{plan.confirmations}. Give more --gens."
        )


def _refuse_small_budget(config: Config, store: Store) -> None:
    """Refuse a budget that cannot hold what is spent already or under way."""
    committed = Committed.of(store, build_halving(config))
    if committed.evaluations > config.search.evaluations:
        raise ConfigError(
            f"--gens is the total, and {counted(config.search.gens, 'generation')} of {config.search.pop} make "
            f"{counted(config.search.evaluations, 'evaluation')}, but {committed}. Give --gens "
            f"{committed.generations(config.search.pop)} or more."
        )
