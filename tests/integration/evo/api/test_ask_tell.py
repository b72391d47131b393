"""`evo.Search`: candidates that a program of the user's evaluates."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ask_tell
import pytest
from ask_tell import loss_of, write_program

import evo
from evo.runs.integrity import check_run
from evo.store import Purpose, Store
from trainer.errors import ConfigError, UsageError
from trainer.evaluation import Status

SUPPORT = Path(ask_tell.__file__).parent

SCRIPT = """
import sys
from pathlib import Path

import evo
from ask_tell import loss_of, write_program

folder = Path(sys.argv[1])
search = evo.Search(write_program(folder), {"loss": "minimize"}, pop=4, evaluations=24, out=folder / "run")
for number, candidate in enumerate(search, 1):
    search.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})
    print(number, flush=True)
"""

QUICK = {"pop": 4, "operators": {"constants": 1.0}}


def search(folder: Path, evaluations: int = 24, **more: object) -> evo.Search:
    out = folder / "run"
    return evo.Search(write_program(folder), {"loss": "minimize"}, evaluations=evaluations, out=out, **QUICK | more)


def tell_all(searching: evo.Search, *, wait: bool = False) -> list[evo.Candidate]:
    candidates = []
    for candidate in searching.candidates(wait=wait):
        searching.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})
        candidates.append(candidate)
    return candidates


def test_a_genome_need_not_be_a_program(tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Write {count} lines about evolution.\n", encoding="utf-8")
    with evo.Search(prompt, {"loss": "minimize"}, evaluations=8, out=tmp_path / "run", **QUICK) as searching:
        candidate = searching.ask()
        searching.tell(candidate, {"loss": 0.5})
    assert candidate.source == prompt.read_text(encoding="utf-8")
    assert list(searching.run.evaluations["code_lines"].dropna()) == [1.0]


def test_a_whole_search_is_a_run_like_any_other(tmp_path: Path) -> None:
    with search(tmp_path, 64) as searching:
        candidates = tell_all(searching)
    assert len(candidates) == 64
    assert [one.individual for one in candidates[:3]] == [0, 0, 0]
    assert len({one.seed for one in candidates[:3]}) == 3
    confirmed = [one for one in candidates if one.is_confirmation]
    assert confirmed
    assert {one.purpose for one in candidates} >= {Purpose.BASELINE, Purpose.SEARCH, Purpose.CONFIRM}
    run = searching.run
    assert run.best is not None
    assert run.best.objectives["loss"] < loss_of(ask_tell.TRAIN, 0)
    assert run.gain is not None
    assert run.gain.individual == run.best.id
    assert len(run.evaluations) == 64
    assert check_run(run.path) == []
    with pytest.raises(evo.SearchEnded, match="budget is spent"):
        searching.ask()


def test_several_may_be_out_at_once_and_be_told_in_any_order(tmp_path: Path) -> None:
    with search(tmp_path, workers=3) as searching:
        out = [searching.ask() for _ in range(3)]
        with pytest.raises(evo.WaitingForResults, match="workers=N"):
            searching.ask()
        for candidate in reversed(out):
            searching.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})
        assert [*searching.run.evaluations["evaluation"]] == [one.evaluation for one in reversed(out)]
        tell_all(searching)
    assert len(searching.run.evaluations) == 24


def test_where_the_next_one_depends_on_results_that_is_said(tmp_path: Path) -> None:
    with search(tmp_path, schedule="generational", workers=8) as searching:
        out: list[evo.Candidate] = []
        with pytest.raises(evo.WaitingForResults):
            out.extend(searching)
        assert 0 < len(out) < 8
        for candidate in out:
            searching.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})
        assert searching.ask().evaluation not in {one.evaluation for one in out}


def test_threads_share_a_search(tmp_path: Path) -> None:
    def work(searching: evo.Search) -> int:
        return len(tell_all(searching, wait=True))

    with search(tmp_path, 40, workers=4) as searching, ThreadPoolExecutor(4) as threads:
        counts = [*threads.map(work, [searching] * 4)]
    assert sum(counts) == 40
    assert check_run(searching.run.path) == []


def test_failures_are_statuses(tmp_path: Path) -> None:
    with search(tmp_path) as searching:
        for candidate in searching:
            if candidate.individual and candidate.individual % 2:
                searching.tell(candidate, status="crashed", reason="no luck")
            else:
                searching.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})
    failed = searching.run.individuals.query("status == 'crashed'")
    assert len(failed)
    assert failed["loss"].isna().all()
    with Store.read(searching.run.path / "evo.db") as store:
        (result,) = {one.result.reason for one in store.results() if one.result.status is Status.CRASHED}
    assert result == "no luck"


def test_what_was_lost_is_asked_for_again(tmp_path: Path) -> None:
    with search(tmp_path) as searching:
        first = searching.ask()
        searching.tell(first, status=Status.LOST, reason="the node went away")
        again = [searching.ask()]
        while again[-1].evaluation != first.evaluation:
            searching.tell(again[-1], {"loss": loss_of(again[-1].source, again[-1].seed)})
            again.append(searching.ask())
        assert again[-1].seed == first.seed


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "loss"),
        ({"loss": 1.0, "speed": 2.0}, "speed"),
        ({"los": 1.0}, "los"),
        ({"loss": float("nan")}, "finite"),
        ({"loss": float("inf")}, "finite"),
        ({"loss": -1e300}, "at most 1e100"),
        ({"loss": 10**400}, "at most 1e100"),
        ({"loss": "a lot"}, "finite"),
        ({"loss": None}, "finite"),
        (1.0, "loss by its name"),
    ],
)
def test_values_that_are_wrong_are_refused_and_the_candidate_stays_out(
    told: dict[str, float], words: str, tmp_path: Path
) -> None:
    with search(tmp_path) as searching:
        candidate = searching.ask()
        with pytest.raises(UsageError, match=words):
            searching.tell(candidate, told)
        with pytest.raises(UsageError, match="that `ask` returned"):
            searching.tell(candidate.individual, {"loss": 1.0})
        searching.tell(pickle.loads(pickle.dumps(candidate)), {"loss": 1.0})  # as a pool of processes returns it
        assert len(searching.run.evaluations) == 1
        with pytest.raises(UsageError, match="has a result already"):
            searching.tell(candidate, {"loss": 1.0})
        with pytest.raises(UsageError, match="status"):
            searching.tell(candidate := searching.ask(), status="sad")
        with pytest.raises(UsageError, match="such as str"):
            searching.tell(candidate, status="crashed", reason=ValueError("sad"))
        searching.tell(candidate, {"loss": 1.0})  # the search goes on


def test_wrong_input_leaves_nothing_behind(tmp_path: Path) -> None:
    program = write_program(tmp_path)
    for arguments, words in (
        (("absent.py", {"loss": "minimize"}), "absent.py"),
        ((program, {"loss": "smaller"}), "direction"),
        ((program, {}), "objectives"),
        ((program, {"a b": "minimize"}), "a b"),
        ((program, "loss"), "objectives"),
        (([], {"loss": "minimize"}), "genome"),
        ((None, {"loss": "minimize"}), "`genome` must be a path"),
    ):
        with pytest.raises(UsageError, match=words):
            evo.Search(*arguments, out=tmp_path / "run")
    for options, words in (
        ({"pop": 4, "evaluations": 10}, "whole generations"),
        ({"evaluations": "16"}, "whole generations"),
        ({"select": "loss"}, "`select` must be a list of objectives"),
        ({"select": ["los"]}, "did you mean 'loss'"),
        ({"config": 3}, "`config` must be a path"),
        ({"model": ["haiku"]}, "--model must name a language model"),
        ({"clock": "cpu"}, "'clock' is not an option here"),
        ({"workers": "auto"}, "may be out at a time"),
        ({"callbacks": print}, "callbacks"),
        ({"callbacks": ["print"]}, "callbacks"),
        ({"callbacks": None}, "callbacks"),
    ):
        with pytest.raises(UsageError, match=words):
            evo.Search(program, {"loss": "minimize"}, out=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_several_files_and_objectives_with_a_constraint(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    files = [tmp_path / "run.py", tmp_path / "model" / "net.py"]
    files[0].write_text("from __future__ import annotations\n\nRATE = 0.1\n")
    files[1].write_text("from __future__ import annotations\n\nDEPTH = 4\n")
    with evo.Search(
        files,
        {"loss": "minimize", "speed": "maximize"},
        select=["loss", "speed"],
        constraints=["speed > 0.01"],
        evaluations=24,
        out=tmp_path / "run-folder",
        **QUICK,
    ) as searching:
        for candidate in searching:
            assert [*candidate.files] == ["run.py", "model/net.py"]
            loss = loss_of("\n".join(candidate.files.values()), candidate.seed)
            searching.tell(candidate, {"loss": loss, "speed": 1 / loss})
    front = searching.run.front
    assert front
    assert {"loss", "speed", "code_lines"} == set(front[0].objectives)


def test_generation_zero_must_work(tmp_path: Path) -> None:
    with search(tmp_path) as searching:
        for _ in range(3):
            searching.tell(searching.ask(), status="crashed", reason="always")
        with pytest.raises(evo.EvoError, match="Generation 0 must"):
            searching.ask()


def test_a_closed_search_goes_on_where_it_was(tmp_path: Path) -> None:
    with search(tmp_path) as searching:
        for _, candidate in zip(range(10), searching, strict=False):
            searching.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})
        out = searching.ask()
    with pytest.raises(evo.SearchEnded):
        searching.tell(out, {"loss": 0.1})
    before = [*searching.run.evaluations["evaluation"]]
    with evo.Search.resume(tmp_path / "run") as resumed:
        tell_all(resumed)
    after = resumed.run.evaluations
    assert [*after["evaluation"]][: len(before)] == before
    assert len(after) == 24
    assert after["attempt"].max() == 2
    assert check_run(tmp_path / "run") == []


def test_a_killed_program_loses_no_result(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, (SUPPORT, SUPPORT.parents[1]))])}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        acknowledged = 0
        for line in process.stdout:
            acknowledged = int(line)
            if acknowledged == 9:
                process.send_signal(signal.SIGKILL)
                break
    assert len(evo.open_run(tmp_path / "run").evaluations) >= 9
    with evo.Search.resume(tmp_path / "run") as resumed:
        tell_all(resumed)
    assert len(resumed.run.evaluations) == 24
    assert check_run(tmp_path / "run") == []


def test_only_its_own_program_can_go_on_with_it(tmp_path: Path) -> None:
    with search(tmp_path) as searching:
        searching.ask()
    with pytest.raises(ConfigError, match=r"evo\.Search\.resume"):
        evo.resume(tmp_path / "run")
    (tmp_path / "other").mkdir()
    with search(tmp_path / "other") as other:
        with pytest.raises(UsageError, match="is being driven by process"):
            evo.Search.resume(tmp_path / "other" / "run")
        other.ask()


def test_works_inside_a_running_event_loop(tmp_path: Path) -> None:
    async def cell() -> int:
        with search(tmp_path) as searching:
            return len(tell_all(searching))

    assert asyncio.run(cell()) == 24


def test_callbacks_see_what_happens_and_may_end_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    events: list[evo.Event] = []

    def broken(event: evo.Event) -> None:
        raise ValueError("a fault of the user's")

    def stop_after_ten(event: evo.Event) -> None:
        if isinstance(event, evo.Finished) and event.result_number == 10:
            event.stop()

    threads = set()
    callbacks = [broken, events.append, stop_after_ten, lambda _: threads.add(threading.current_thread().name)]
    with search(tmp_path, callbacks=callbacks) as searching:
        told = len(tell_all(searching))
    assert told == 10
    kinds = {type(event) for event in events}
    assert kinds >= {evo.Proposed, evo.Started, evo.Finished, evo.NewBest, evo.Stopped}
    (end,) = [event for event in events if isinstance(event, evo.Stopped)]
    assert (end.kind, events[-1]) == ("interrupted", end)
    assert [event.result_number for event in events if isinstance(event, evo.Finished)] == [*range(1, 11)]
    assert "a fault of the user's" in caplog.text
    assert threads == {"evo-driver"}


def test_a_refusal_is_an_event(tmp_path: Path) -> None:
    events: list[evo.Event] = []
    (tmp_path / "train.py").write_text("SIZE = 1  # one of: 1, 2\n")
    with evo.Search(
        tmp_path / "train.py",
        {"loss": "minimize"},
        evaluations=24,
        out=tmp_path / "run",
        callbacks=[events.append],
        **QUICK,
    ) as searching:
        for candidate in searching:
            searching.tell(candidate, {"loss": float(candidate.seed % 7)})
    refused = [event for event in events if isinstance(event, evo.Refused)]
    assert refused
    assert all(event.reason and event.operator == "constants" for event in refused)


def test_protected_code_stays_in_every_candidate(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names 'evaluate', but nothing"):
        search(tmp_path, protect=["evaluate"])
    with search(tmp_path, protect=["RATE"]) as running:
        for candidate in running:
            assert candidate.source.startswith("RATE = 0.1\n")
            running.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})


def test_a_genome_may_be_any_text(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("rate = 0.5  # of learning\n", encoding="utf-8")
    with evo.Search(settings, {"loss": "minimize"}, evaluations=8, out=tmp_path / "run", **QUICK) as searching:
        for candidate in searching:
            assert candidate.files == {"settings.toml": candidate.source}
            assert candidate.source.endswith("  # of learning\n")
            searching.tell(candidate, {"loss": abs(tomllib.loads(candidate.source)["rate"] - 0.1)})
    best = evo.open_run(tmp_path / "run").best
    assert best is not None
    assert tomllib.loads(best.source)["rate"] != 0.5
    assert check_run(tmp_path / "run") == []
