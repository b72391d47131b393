"""The process that drives one run of an experiment and judges what it chose: `python -m evo.compare.driver`.

It reads its order from the first line of its standard input, which stays open while the experiment runs: when
it is closed, the run stops after saving. It reports on its standard output, one JSON object a line: the
`share` of the budget that is used, `judged` for each evaluation after the search, a `note`, an `error`, or the `ending`
of the search with its `reason`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from evo.compare.folder import ExperimentFolder
from evo.compare.outcome import judge, standing
from evo.config.config import Config
from evo.config.reading import overlaid, parse_config
from evo.config.resolution import resolve
from evo.errors import RunLocked
from evo.runs import lifecycle as runs
from evo.runs.generation_zero import read_generation_zero
from evo.runs.materials import prepare_materials, refuse_other_materials
from evo.search.observer import Observer
from evo.standings.standings import Standings
from evo.standings.usage import SECONDS_AN_HOUR, Prices, Usage
from evo.store import IndividualRecord, Outcome, Store
from evo.studies.batch import Trial, Watcher
from trainer.errors import EvoError

INTERRUPTED = 3
"""Exit code of a run that was stopped and can be continued."""
_PATIENCE_SECONDS = 60.0
"""How long to wait for the lock of a run whose experiment was killed and whose process is still saving."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to do.

    Attributes:
        repeat: number of the block, from 0.
        arm: name; empty to judge generation 0 alone.
        config: resolved, as JSON has it; its one worker is where all of it happens.
        seeds: with which the chosen individual is judged.
    """

    folder: str
    repeat: int
    arm: str
    config: Mapping[str, Any]
    seeds: Sequence[int]

    def to_line(self) -> bytes:
        """Return the order as the process reads it."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of(cls, line: str) -> Self:
        """Return the order that was written."""
        return cls(**json.loads(line))


class _Reporter(Observer):
    """Reports to the experiment how far the search is (`evo.search.observer.Observer`)."""

    def __init__(self, config: Config, path: Path) -> None:
        self._search = config.search
        self._prices = Prices.of(config)
        self._path = path

    def finished(self, _record: IndividualRecord, _outcome: Outcome, standings: Standings, *_: object) -> None:
        """Report the share of the budget that is used."""
        search, share = self._search, standings.spent / self._search.evaluations
        if search.max_gpu_hours is not None or search.max_usd is not None:
            with Store.read(self._path) as store:
                used = Usage.of(store, self._prices)
            by_time = used.gpu_seconds / (search.max_gpu_hours * SECONDS_AN_HOUR) if search.max_gpu_hours else 0.0
            share = max(share, by_time, used.usd / search.max_usd if search.max_usd else 0.0)
        _say(share=min(1.0, share))

    def note(self, message: str) -> None:
        """Pass it on."""
        _say(note=message)


class _JudgingReporter(Watcher):
    """Reports how far the judging is."""

    def measured(self, trial: Trial, *_: object) -> None:
        """Report one evaluation."""
        _say(judged=trial.seed)

    def note(self, message: str) -> None:
        """Pass it on."""
        _say(note=message)


def main() -> None:
    """Carry out the order."""
    order = Order.of(sys.stdin.readline())
    threading.Thread(target=_end_with_the_experiment, daemon=True).start()
    try:
        complete = _drive_patiently(order) if order.arm else measure_generation_zero(order)
    except EvoError as error:
        _say(error=str(error))
        sys.exit(error.exit_code)
    sys.exit(0 if complete else INTERRUPTED)


def measure_generation_zero(order: Order) -> bool:
    """Measure generation 0 with the seeds of a block; return whether that is complete."""
    config = resolve(parse_config(order.config, "the experiment"))
    path = ExperimentFolder(Path(order.folder)).generation_zero(order.repeat)
    path.parent.mkdir(exist_ok=True)
    source = read_generation_zero(config)
    return judge(config, prepare_materials(config), source, "generation 0", order.seeds, path, _JudgingReporter())


def _drive_patiently(order: Order) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return drive(order)
        except RunLocked:  # after a second of waiting for the lock
            if time.monotonic() > deadline:
                raise


def drive(order: Order) -> bool:
    """Start or resume a run and judge what it has chosen; return whether that is complete."""
    folder = ExperimentFolder(Path(order.folder))
    run = folder.run(order.repeat, order.arm)
    config = resolve(parse_config(order.config, "the experiment"))
    reporter = _Reporter(config, run.store)
    if run.is_half_made():  # nothing was evaluated
        shutil.rmtree(run.path)
    if not run.store.exists():
        run.path.parent.mkdir(exist_ok=True)
        runs.start(config, run.path, reporter)
    elif not _stands(run.store):
        workers = {"workers": order.config["workers"]}
        runs.resume(run.path, reporter, lambda stored: resolve(overlaid(stored, workers)))
    with Store.read(run.store) as store:
        *_, last = store.events("stopped")
        _say(ending=last.payload["ending"], reason=last.payload["reason"])
        if standing(store) is None:
            return False
    with runs.view(run.path) as viewed:
        chosen = viewed.standings.best()
        if chosen is None or chosen.id == 0:
            return True
        program = viewed.store.source(chosen.id)
        materials = prepare_materials(config)
        refuse_other_materials(viewed.store, materials)
    path = folder.outcome(order.repeat, order.arm)
    return judge(config, materials, program, f"#{chosen.id}", order.seeds, path, _JudgingReporter())


def _stands(store: Path) -> bool:
    with Store.read(store) as view:
        return standing(view) is not None


def _say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _end_with_the_experiment() -> None:
    """Stop after saving when the experiment's process is gone."""
    while os.read(sys.stdin.fileno(), 1024):  # not through `sys.stdin`, whose lock would keep the process from ending
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
