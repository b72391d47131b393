"""Starting, resuming and opening runs: a run's folder, lock, store and lineage around a search."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import signal
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evo.assemble import build_evaluator, build_operators, build_search, read_standings
from evo.config import Config, parse_config
from evo.errors import RunFolderError
from evo.genome import read_genome
from evo.lineage import Lineage
from evo.progress import Observer
from evo.results_table import write_results_table
from evo.run_folder import RunFolder
from evo.search import Search, Stopped
from evo.standings import Standings
from evo.store import Store, StoreView
from trainer.corpus import Corpus, prepare
from trainer.errors import ConfigError

_COLLECTION_THRESHOLD = 100_000
_CONFIG_SHA256 = "config_sha256"
PrepareProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Viewed:
    """A run opened for looking at: live, killed or finished."""

    folder: RunFolder
    config: Config
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
    config = read_config(folder)
    with Store.read(folder.store) as store:
        yield Viewed(folder, config, store, read_standings(config, store))


def read_config(folder: RunFolder) -> Config:
    """Return the resolved configuration that a run was started with."""
    try:
        data = tomllib.loads(folder.config.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunFolderError(f"{folder.config} was expected to be TOML, but it is damaged: {error}") from error
    return parse_config(data, str(folder.config))


def start(config: Config, path: Path, observer: Observer, progress: PrepareProgress | None = None) -> Stopped:
    """Make a new run and search until its budget is spent.

    Everything that can be wrong with the input is found before the folder is made.

    Args:
        config: resolved.
        path: of the run's folder; absent or empty.
        observer: told of everything worth seeing.
        progress: told of the preparation of the data.
    """
    source = read_genome(config.task.genome)
    corpus = _prepare(config, progress)
    operators = build_operators(config, corpus.vocab_size)
    folder = RunFolder.create(path)
    with folder.lock(), Store.create(folder.store) as store:
        lineage = Lineage.open(folder.lineage)
        search = build_search(config, store, lineage, build_evaluator(config, corpus), operators, observer)
        search.begin(source)
        _seal(folder, store, config)
        return _drive(search, folder, store, lineage)


def resume(
    path: Path,
    observer: Observer,
    change: Callable[[Config], Config] = lambda config: config,
    *,
    accept_changes: bool = False,
    progress: PrepareProgress | None = None,
) -> Stopped:
    """Continue a run that was stopped or killed, with the identical next decision.

    Args:
        path: the run's folder.
        observer: told of everything worth seeing.
        change: flags of the command line, applied to the stored configuration; recorded as an event.
        accept_changes: record a `config.toml` that was edited since, instead of refusing it.
        progress: told of the preparation of the data.

    Raises:
        ConfigError: `config.toml` was edited since the run was last driven.
    """
    folder = RunFolder.open(path)
    with folder.lock(), Store.open(folder.store) as store:
        stored = read_config(folder)
        _refuse_silent_changes(folder, store, accept_changes)
        config = change(stored)
        corpus = _prepare(config, progress)
        operators = build_operators(config, corpus.vocab_size, store.spending().cost_usd)
        lineage = Lineage.open(folder.lineage)
        search = build_search(config, store, lineage, build_evaluator(config, corpus), operators, observer)
        _seal(folder, store, config)
        return _drive(search, folder, store, lineage)


def calm_collector() -> None:
    """Let the garbage collector look at what is young, and seldom.

    A driver parses source after source: trees of tens of thousands of nodes without cycles, for which collections at
    the usual thresholds take a fifth of its time and find nothing.
    """
    gc.freeze()
    gc.set_threshold(_COLLECTION_THRESHOLD, 20, 100)


def _drive(search: Search, folder: RunFolder, store: Store, lineage: Lineage) -> Stopped:
    search.restore()
    calm_collector()
    try:
        stopped = asyncio.run(_until_stopped(search))
        store.record_event("stopped", {"ending": stopped.ending, "reason": stopped.reason})
        return stopped
    finally:
        write_results_table(folder, store, lineage)


async def _until_stopped(search: Search) -> Stopped:
    """Run a search that the first signal stops in good order; the second one ends the process."""
    loop = asyncio.get_running_loop()

    def interrupt(number: signal.Signals) -> None:
        search.interrupt()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupt, number)
    return await search.run()


def _prepare(config: Config, progress: PrepareProgress | None) -> Corpus:
    return prepare(config.task.dataset, vocab_size=config.task.vocab_size, progress=progress)


def _seal(folder: RunFolder, store: Store, config: Config) -> None:
    """Store the resolved configuration with the run; an event remembers each one that it was driven with."""
    text = config.to_toml()
    digest = _sha256(text)
    if store.meta(_CONFIG_SHA256) != digest:
        store.record_event("configured", {"config": text})
        folder.seal(text)
        store.set_meta(_CONFIG_SHA256, digest)


def _refuse_silent_changes(folder: RunFolder, store: Store, accept_changes: bool) -> None:
    text = folder.config.read_text(encoding="utf-8")
    if accept_changes or _sha256(text) == store.meta(_CONFIG_SHA256):
        return
    raise ConfigError(
        f"{folder.config} was edited since this run was last driven, and results under different settings are not "
        "comparable. Undo the edit, or give --accept-changes to go on and record the change."
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
