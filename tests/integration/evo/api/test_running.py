"""`evo.run`, `evo.resume` and `evo.open_run`: what the commands do, from Python."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from script_runs import script_task, write_files

import evo
from evo.runs.integrity import check_run
from trainer.errors import ConfigError, UsageError

PROJECT = {
    "evo.toml": script_task(),
    "train.py": """
        import os

        WIDTH = 2.0

        print(f"loss: {abs(WIDTH - 3) + 0.001 * (int(os.environ['EVO_SEED']) % 7):.6f}")
        """,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_files(tmp_path / "project", PROJECT)


def run(project: Path, **more: object) -> evo.Run:
    out, file = project.parent / "run", project / "evo.toml"
    return evo.run(out=out, config=file, **{"pop": 2, "gens": 4, "operators": {"constants": 1.0}} | more)


def test_a_run_is_what_the_command_makes(project: Path) -> None:
    handlers, thresholds = signal.getsignal(signal.SIGINT), gc.get_threshold()
    made = run(project)
    assert (signal.getsignal(signal.SIGINT), gc.get_threshold()) == (handlers, thresholds)
    assert made.status().state == "finished"
    assert check_run(made.path) == []
    assert (made.path / "report.html").exists()
    best = made.best
    assert best is not None
    assert best.objectives["loss"] == pytest.approx(made.individuals.loc[best.id, "loss"])
    assert made.individual(0).source == (project / "train.py").read_text()
    assert made.individuals.index.name == "id"
    assert isinstance(made.evaluations, pd.DataFrame)
    assert [*made.evaluations.index] == [*range(1, 9)]
    assert set(made.evaluations.columns) >= {"individual", "seed", "purpose", "status", "loss"}
    assert {one.id for one in made.front} <= {*made.individuals.index}
    assert made.noise.keys() >= {"loss"}
    assert made.config.search.pop == 2
    assert made.report(project / "a.html").read_text().startswith("<!")
    assert repr(best).startswith(f"Individual({best.id}, loss=")


def test_a_run_goes_on(project: Path) -> None:
    first = run(project)
    with pytest.raises(ConfigError, match="--gens"):
        evo.resume(first.path, gens=2)
    assert len(evo.resume(first.path, gens=6).evaluations) == 12


def test_what_a_run_keeps_is_no_option_of_its_continuation(project: Path) -> None:
    made = run(project, gens=1)
    with pytest.raises(ConfigError, match="'pop' is not an option here; expected one of gens, operators"):
        evo.resume(made.path, pop=4)
    for path in (None, 3, ""):
        with pytest.raises(UsageError, match="`path` must be a path"):
            evo.resume(path)
    assert made.config.search.pop == 2


def test_inside_a_running_event_loop(project: Path) -> None:
    async def cell() -> evo.Run:
        return run(project)

    assert len(asyncio.run(cell()).evaluations) == 8


def test_in_threads(project: Path) -> None:
    def one(number: int) -> int:
        out = project.parent / f"run-{number}"
        return len(
            evo.run(out=out, config=project / "evo.toml", pop=2, gens=3, operators={"constants": 1.0}).evaluations
        )

    with ThreadPoolExecutor(2) as threads:
        assert [*threads.map(one, range(2))] == [6, 6]


def test_what_is_wrong_is_found_before_there_is_a_folder(project: Path) -> None:
    async def cell(**options: object) -> None:
        run(project, **options)

    for options in (
        {"pop": 0},
        {"popp": 4},
        {"operators": {"none": 1.0}},
        {"devices": ["cuda:99"]},
        {"schedule": "never"},
    ):
        with pytest.raises(evo.UsageError):
            run(project, **options)
        with pytest.raises(evo.UsageError):
            asyncio.run(cell(**options))
    with pytest.raises(evo.UsageError, match="A run was expected"):
        evo.open_run(project.parent / "run")
    assert not (project.parent / "run").exists()


def test_an_interrupt_stops_after_saving(project: Path) -> None:
    def interrupt(event: evo.Event) -> None:
        if isinstance(event, evo.Finished) and event.result_number == 3:
            os.kill(os.getpid(), signal.SIGINT)

    stopped = run(project, callbacks=[interrupt])
    assert stopped.status().state == "stopped"
    assert 3 <= len(stopped.evaluations) < 8
    assert len(evo.resume(stopped.path).evaluations) == 8


def test_an_interrupted_cell_stops_after_saving(project: Path) -> None:
    def interrupt(event: evo.Event) -> None:
        if isinstance(event, evo.Finished) and event.result_number == 3:
            signal.raise_signal(signal.SIGINT)

    async def cell() -> evo.Run:
        # A kernel runs a cell while its loop runs, and an interrupt is a KeyboardInterrupt there.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return run(project, callbacks=[interrupt])

    stopped = asyncio.run(cell())
    assert stopped.status().state == "stopped"
    assert 3 <= len(stopped.evaluations) < 8


def test_a_callback_may_end_a_run_and_its_faults_end_nothing(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[evo.Event] = []

    def watch(event: evo.Event) -> None:
        seen.append(event)
        if isinstance(event, evo.NewBest):
            raise LookupError("a fault of the user's")  # noqa: TRY004
        if isinstance(event, evo.Finished) and event.result_number == 4:
            event.stop()

    stopped = run(project, callbacks=[watch])
    assert len(stopped.evaluations) == 4
    assert isinstance(seen[-1], evo.Stopped)
    assert seen[-1].kind == "interrupted"
    assert "a fault of the user's" in caplog.text


def test_a_live_run_can_be_read(project: Path) -> None:
    read: list[int] = []

    def look(event: evo.Event) -> None:
        if isinstance(event, evo.Finished):
            read.append(len(evo.open_run(project.parent / "run").evaluations))

    run(project, callbacks=[look])
    assert read == [*range(1, 9)]
    assert all(thread.name != "evo-driver" for thread in threading.enumerate())


def test_importing_costs_nothing() -> None:
    assert set(evo.__all__) <= {*dir(evo)}
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = evo.nothing_like_it
