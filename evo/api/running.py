"""`evo.run`, `evo.resume` and `evo.ladder`: what the commands of these names do."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from evo.api.driving import drive
from evo.api.reading import Run
from evo.config.config import Config
from evo.config.options import ResumeOptions, RunOptions, as_path, new_run_config, new_run_folder, resumed_config
from evo.config.resolved import ResolvedConfig
from evo.errors import ReportError
from evo.runs.lifecycle import SearchDriver, resumed, started
from evo.search.events import Callback, CallbackObserver

if TYPE_CHECKING:
    from evo.scales.standing import LadderState

_log = logging.getLogger(__name__)


def run(
    genome: str | Path = "",
    *,
    out: str | Path | None = None,
    config: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
    **options: Unpack[RunOptions],
) -> Run:
    """Evolve a training script, as the command `evo run` does; return when the run has ended.

    Ctrl-C, and the interruption of a notebook's cell, stops the run after saving; a second one stops at once.

    Args:
        genome: path of generation 0, or the name of a built-in one such as `textbook`; the strong one by default.
        out: the run's folder, absent or empty; `runs/<date>` by default.
        config: a TOML file; `./evo.toml` by default, where there is one.
        callbacks: called with every event (`evo.search.events`), in the thread that drives the search.
        options: as the flags of the command are called (`evo.config.options.RunOptions`).

    Raises:
        UsageError: the input is wrong; nothing was written.
        MachineError: a device, a disk or a worker failed; the run can be resumed.
    """
    named = str(as_path("genome", genome)) if genome != "" else ""  # Path("") would be this folder
    resolved = new_run_config(named, None if config is None else as_path("config", config), options)
    with new_run_folder(out) as path:
        return _driven(path, lambda observer: started(resolved, path, observer), callbacks)


def resume(
    path: str | Path,
    *,
    callbacks: Sequence[Callback] = (),
    accept_changes: bool = False,
    **options: Unpack[ResumeOptions],
) -> Run:
    """Continue a run, as the command `evo resume` does; return when it has ended. Arguments as for `run`.

    Args:
        path: the run's folder.
        callbacks: as for `run`.
        accept_changes: continue with a `config.toml` that was edited since, and record the change.
        options: `gens` is the total (`evo.config.options.ResumeOptions`).

    Raises:
        UsageError: there is no run at `path`, another driver has it, or an option does not suit it.
        MachineError: as for `run`.
    """
    folder = as_path("path", path)

    def change(stored: Config) -> ResolvedConfig:
        return resumed_config(stored, options)

    def opened(observer: CallbackObserver) -> AbstractContextManager[SearchDriver]:
        return resumed(folder, observer, change, accept_changes=accept_changes)

    return _driven(folder, opened, callbacks)


def ladder(file: str | Path = "evo.toml", *, out: str | Path | None = None) -> LadderState:
    """Search at small scales first and promote what wins to larger ones, as the command `evo ladder` does.

    Ctrl-C stops after saving, and the same call resumes.

    Args:
        file: of a project, with the table `[ladder]`.
        out: the ladder's folder; `ladders/<its name>` by default.

    Raises:
        UsageError: the input is wrong, or something else was begun in the folder.
        MachineError: a device, a disk or a worker failed; the same call resumes.
    """
    from evo.scales.definition import define
    from evo.scales.running import LADDERS, climb
    from evo.scales.view import View

    definition = define(as_path("file", file))
    state, _ = climb(definition, LADDERS / definition.ladder.name if out is None else as_path("out", out), View())
    return state


def _driven(
    path: Path,
    opened: Callable[[CallbackObserver], AbstractContextManager[SearchDriver]],
    callbacks: Sequence[Callback],
) -> Run:
    """Drive a run to its end, write its report, and return it."""
    control: list[SearchDriver] = []
    observer = CallbackObserver(callbacks, lambda: control[0].interrupt())

    @contextlib.contextmanager
    def controlled() -> Iterator[SearchDriver]:
        with opened(observer) as driver:
            control.append(driver)
            yield driver

    drive(controlled)
    written = Run(path)
    try:
        written.report()
    except ReportError as error:
        _log.warning("%s", error)
    return written
