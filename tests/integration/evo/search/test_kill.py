"""A driver that is killed at any moment loses nothing, and its run goes on as it would have."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from run_inspection import assert_complete, assert_no_error, decisions, git, results
from search_driver import Command, Drivers

from operators.llm.rehearsal import MessagesServer

MOST_KILLS = 25
CONFIG: dict[str, Any] = {"search": {"pop": 4, "gens": 6}, "operators": {"weights": {"random": 2.0, "uniform": 1.0}}}
EVALUATOR = {"slots": 2, "seconds": 0.005}

MOMENTS = (
    ("before the parents are selected", 2),
    ("before the proposal is committed", 2),
    ("between the store and git", 1),
    ("before the individual is recorded", 1),
    ("before the commit is written", 3),
    ("before the launch is committed", 1),
    ("while a candidate trains", 3),
    ("after a candidate was scored", 2),
    ("before the result is recorded", 2),
    ("before the result is committed", 2),
    ("before the restored release their evaluations", 1),
    ("before the restored project", 1),
    ("before the ref is written", 2),
    ("before the notes are written", 2),
    ("before pace is set", 2),
)
ASKING_MOMENTS = (
    ("before the request is journaled", 2),
    ("before the request is sent", 2),
    ("before the reply is journaled", 2),
    ("before the reply is used", 2),
)


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drivers]:
    with Drivers(tmp_path_factory.mktemp("drivers") / "stderr") as drivers:
        yield drivers


def killed_at_random(drivers: Drivers, command: Command, chance: random.Random) -> int:
    """Kill drivers at random moments until one completes the run; return how many were killed."""
    for kills in range(MOST_KILLS):
        driver = drivers.begin(command)
        if not driver.ended_within(chance.uniform(0.05, 0.25)):
            driver.signal(signal.SIGKILL)
        code = driver.wait()
        if code == 0:
            return kills
        assert code == -signal.SIGKILL, drivers.said()
        if (Path(command.path) / "config.toml").exists():
            assert_no_error(Path(command.path))
        else:
            shutil.rmtree(command.path, ignore_errors=True)
    assert drivers.run(command) == 0, drivers.said()
    return MOST_KILLS


def test_kills_at_random_moments(drivers: Drivers, tmp_path: Path) -> None:
    path = tmp_path / "run"
    kills = killed_at_random(drivers, Command(str(path), CONFIG, evaluator=EVALUATOR), random.Random(3))
    assert kills >= 3
    assert_complete(path)


@pytest.mark.full
def test_kills_at_random_moments_while_a_language_model_answers(drivers: Drivers, tmp_path: Path) -> None:
    path = tmp_path / "run"
    config = {**CONFIG, "operators": {"weights": {"llm_mutation": 1.0}}}
    with MessagesServer() as server:
        environment = {"ANTHROPIC_BASE_URL": server.url}
        command = Command(str(path), config, evaluator=EVALUATOR, environment=environment)
        assert killed_at_random(drivers, command, random.Random(4)) >= 3
    assert_complete(path)


def test_kills_at_chosen_moments(drivers: Drivers, tmp_path: Path) -> None:
    path = tmp_path / "run"
    for moment in MOMENTS:
        command = Command(str(path), CONFIG, evaluator=EVALUATOR, kill=moment)
        assert drivers.run(command) == -signal.SIGKILL, (moment, drivers.said())
        assert_no_error(path)
    assert drivers.run(Command(str(path), evaluator=EVALUATOR)) == 0
    assert_complete(path)


def test_kills_between_journal_and_service_pay_no_reply_twice(drivers: Drivers, tmp_path: Path) -> None:
    path = tmp_path / "run"
    config = {**CONFIG, "operators": {"weights": {"llm_mutation": 1.0}}}
    with MessagesServer() as server:
        for moment in (*ASKING_MOMENTS, None):
            command = Command(
                str(path), config, evaluator=EVALUATOR, environment={"ANTHROPIC_BASE_URL": server.url}, kill=moment
            )
            assert drivers.run(command) == (-signal.SIGKILL if moment else 0), (moment, drivers.said())
            assert_no_error(path)
        asked = len(server.requests)
    assert_complete(path)
    proposals = len(decisions(path)) - 1
    in_flight = 2 * 4  # look-ahead at each of the four kills
    assert proposals <= asked <= proposals + len(ASKING_MOMENTS) * in_flight


def test_a_killed_change_of_the_configuration_is_not_taken_for_an_edit(drivers: Drivers, tmp_path: Path) -> None:
    path = tmp_path / "run"
    small = {**CONFIG, "search": {"pop": 2, "gens": 2}}
    assert drivers.run(Command(str(path), small, evaluator=EVALUATOR)) == 0
    before = (
        "before config_sha256 is set",
        "before the configuration is written",
        "before sealed_config_sha256 is set",
    )
    for gens, moment in enumerate(before, start=3):
        changes = {"search": {"gens": gens}}
        command = Command(str(path), changes=changes, evaluator=EVALUATOR, kill=(moment, 1))
        assert drivers.run(command) == -signal.SIGKILL
        assert drivers.run(Command(str(path), evaluator=EVALUATOR)) == 0, drivers.said()
        # What the store had committed is the run's configuration, whether or not the file said so already.
        assert_complete(path)
        assert len(results(path)) == 2 * (gens if moment != before[0] else gens - 1)


# One worker and a deterministic evaluator: the order of the results does not depend on time.


def paced(path: Path, kill: tuple[str, int] | None = None) -> Command:
    schedule, _, smoke = path.name.partition("-")
    config = {**CONFIG, "search": {**CONFIG["search"], "schedule": schedule, "smoke": bool(smoke)}}
    return Command(str(path), config, evaluator={"slots": 1, "turns": 60}, kill=kill)


@pytest.fixture(scope="module", params=["asynchronous", "generational", "asynchronous-smoke"])
def uninterrupted(request: pytest.FixtureRequest, drivers: Drivers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("uninterrupted") / request.param
    assert drivers.run(paced(path)) == 0, drivers.said()
    return path


def test_a_killed_run_decides_as_the_uninterrupted_one(drivers: Drivers, uninterrupted: Path, tmp_path: Path) -> None:
    path = tmp_path / uninterrupted.name
    chance = random.Random(5)
    for moment, _ in chance.sample(MOMENTS, 6):
        assert drivers.run(paced(path, (moment, chance.randint(1, 4)))) in (-signal.SIGKILL, 0)
    assert drivers.run(paced(path)) == 0, drivers.said()
    assert decisions(path) == decisions(uninterrupted)
    assert results(path) == results(uninterrupted)


def test_two_copies_of_a_killed_run_decide_alike(drivers: Drivers, uninterrupted: Path, tmp_path: Path) -> None:
    path = tmp_path / uninterrupted.name
    assert drivers.run(paced(path, ("before the result is recorded", 9))) == -signal.SIGKILL
    copy = tmp_path / "copy" / path.name
    shutil.copytree(path, copy)
    assert [drivers.run(paced(one)) for one in (path, copy)] == [0, 0]
    assert decisions(path) == decisions(copy)
    assert results(path) == results(copy)
    assert git(path, "rev-parse", "best^{tree}") == git(copy, "rev-parse", "best^{tree}")


@pytest.mark.full
def test_a_killed_run_on_rungs_decides_as_the_uninterrupted_one(drivers: Drivers, tmp_path: Path) -> None:
    def command(name: str, kill: tuple[str, int] | None = None) -> Command:
        config = {**CONFIG, "search": {"pop": 4, "gens": 9}, "fidelity": {"rungs": [0.25, 1.0], "calibrate": 8}}
        return Command(str(tmp_path / name), config, evaluator={"slots": 1, "turns": 60}, kill=kill)

    assert drivers.run(command("uninterrupted")) == 0, drivers.said()
    for moment, passes in (("before the result is recorded", 12), ("before the launch is committed", 15)):
        assert drivers.run(command("killed", (moment, passes))) == -signal.SIGKILL
        assert_no_error(tmp_path / "killed")
    assert drivers.run(command("killed")) == 0, drivers.said()
    assert decisions(tmp_path / "killed") == decisions(tmp_path / "uninterrupted")
    assert results(tmp_path / "killed") == results(tmp_path / "uninterrupted")
    assert {"screen", "search"} <= {purpose for *_, purpose, _, _ in results(tmp_path / "killed")}


def test_hash_seeds_change_nothing(uninterrupted: Path, tmp_path: Path) -> None:
    path = tmp_path / uninterrupted.name
    with Drivers(tmp_path / "stderr", hash_seed=12345) as drivers:
        assert drivers.run(paced(path)) == 0, drivers.said()
    assert decisions(path) == decisions(uninterrupted)
