"""The journal of a run leads to the same individuals again, whoever evaluated them and in whatever order."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from paced_evaluator import PacedEvaluator
from run_inspection import decisions, unguard
from searches import GENOME, StopsAt, opened, searched

from evo.config.config import Config
from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs.assemble import build_operators
from evo.runs.folder import RunFolder
from evo.runs.replay import Replay, replay_run
from evo.search.credit import read_arms
from evo.store import Store
from evo.workers import Slot
from operators.llm.rehearsal import MessagesServer
from operators.prompt_styles import STYLES
from operators.registry import REPLIES_REVISION, REVISION
from trainer.evaluation import Evaluation, Job

CLASSICAL = {"random": 2.0, "constants": 1.0, "uniform": 1.0, "merge": 1.0, "tuning": 1.0}
WITH_MODEL = {"llm_mutation": 3.0, "llm_crossover": 2.0, **CLASSICAL}


class Shuffled(PacedEvaluator):
    """Evaluations take their turns by the genome, so that workers finish in another order than they began."""

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        for _ in range(random.Random(f"{job.genome}:{job.seed}").randrange(60)):
            await asyncio.sleep(0)
        return await super().evaluate(slot, job)


def configured(
    weights: dict[str, float], url: str = "", gens: int = 10, diversity: dict[str, Any] | None = None, **search: Any
) -> Config:
    data: dict[str, Any] = {
        "search": {"pop": 4, "gens": gens, "seed": 3, **search},
        "diversity": diversity or {},
        "noise": {"sentinel_every": 0},
        "operators": {"weights": weights, "adaptive": True},
        "workers": {"devices": ["cpu"]},
        "llm": {"base_url": url, "repairs": 1} if url else {},
    }
    return resolve(parse_config(data, "test"), {})


def assert_same(path: Path) -> Replay:
    replay = replay_run(path)
    assert replay.difference is None
    assert replay.unrecorded == 0
    with Store.read(RunFolder(path).store) as store:
        assert replay.proposals == store.last_proposal_number()
        assert replay.individuals == len([*store.individuals()]) - 1 > 0
    return replay


@pytest.mark.parametrize("slots", [1, 16])
def test_a_run_of_any_number_of_workers_is_replayed(tmp_path: Path, slots: int) -> None:
    path = tmp_path / "run"
    with MessagesServer() as server:
        config = configured(WITH_MODEL, server.url, gens=25)
        searched(path, config, Shuffled(GENOME, slots), build_operators(config))
        asked = len(server.requests)
    assert asked > 5
    assert_same(path)  # without the server
    with Store.read(RunFolder(path).store) as store:
        made = {one.operator for one in store.individuals()}
        begun = [one.result_number for one in store.proposals()]
        arms = read_arms(store)
    assert {f"llm_mutation:{style}" for style in STYLES} < set(arms)
    assert {"llm_crossover", "random"} <= made
    assert len([operator for operator in made if operator.startswith("llm_mutation:")]) > 1
    assert (begun.count(0) > 16) == (slots == 16)


def test_a_run_with_islands_niches_and_exploration_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    diversity = {"islands": 2, "migrate_every": 8, "descriptors": ["WIDTH"], "similarity": 0.99, "explore_after": 6}
    config = configured(CLASSICAL, gens=10, diversity=diversity)
    searched(path, config, Shuffled(GENOME, slots=5), build_operators(config))
    with Store.read(RunFolder(path).store) as store:
        assert list(store.events("exploration"))
    assert_same(path)


@dataclass
class InOrder(PacedEvaluator):
    """Answers one after the other in the order of another run's results, however many are under way."""

    order: tuple[tuple[str, int], ...] = ()
    answered: int = 0

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        for _ in range(100_000):
            if self.order[self.answered] == (job.genome, job.seed):
                break
            await asyncio.sleep(0)
        else:
            raise AssertionError(f"nobody was asked for result {self.answered + 1}")
        result = await super().evaluate(slot, job)
        self.answered += 1
        return result


def test_the_same_completions_lead_to_the_same_individuals_with_any_number_of_workers(tmp_path: Path) -> None:
    """With a barrier, begin points follow from the results, so that one order of these leads to one run."""
    alone, together = tmp_path / "1", tmp_path / "16"
    config = configured(CLASSICAL, schedule="generational")
    searched(alone, config, PacedEvaluator(GENOME, slots=1, turns=9), build_operators(config))
    with Store.read(RunFolder(alone).store) as store:
        order = tuple((store.source(one.individual), one.seed) for one in store.outcomes())
    in_order = InOrder(GENOME, slots=16, turns=9, order=order)
    searched(together, config, in_order, build_operators(config))
    assert decisions(alone) == decisions(together)
    assert len(decisions(alone)) > 20
    for path in (alone, together):
        assert_same(path)


def test_a_run_that_was_stopped_and_went_on_otherwise_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    for result_number, weights in ((9, CLASSICAL), (17, CLASSICAL), (99, {"uniform": 1.0, "structure": 1.0})):
        config, stopping = configured(weights), StopsAt(result_number)
        with opened(path, config, Shuffled(GENOME, slots=5), build_operators(config), stopping) as (search, store):
            newest = store.last_proposal_number()
            store.record_event("configured", {"config": config.to_toml(), "newest_proposal": newest})
            stopping.search = search
            asyncio.run(search.run())
    assert_same(path)
    with Store.read(RunFolder(path).store) as store:
        assert {"structure", "constants"} <= {one.operator for one in store.individuals()}
        assert store.last_result_number() == 40


def tampered(path: Path, statement: str, *values: object) -> str:
    """Change a run's store behind its back, and return what a replay says of it."""
    with closing(sqlite3.connect(RunFolder(path).store)) as database, database:
        unguard(database)
        assert database.execute(statement, values).rowcount > 0
    return str(replay_run(path).difference)


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run"
    config = configured(CLASSICAL)
    searched(path, config, Shuffled(GENOME, slots=4), build_operators(config))
    with Store.read(RunFolder(path).store) as store:
        bred = next(one for one in store.individuals() if one.parents and one.parents != (0,))
        source, (parent, *_) = store.source(bred.id), bred.parents
        stranger = next(number for number in range(bred.id) if number not in bred.parents)
    other = source.replace("\nimport math\n", "\nimport cmath as math\n")
    said = tampered(path, "UPDATE genomes SET source = ? WHERE source = ?", other, source)
    assert said == (
        f"proposal {bred.id}: line 3 of the source was `import cmath as math`, but the replay comes to `import math`"
    )
    where = f"WHERE proposal = {bred.id} AND parent = {parent}"
    said = tampered(path, f"UPDATE proposal_parents SET parent = {stranger} {where}")
    assert said.startswith(f"proposal {bred.id}: the choice of parents was #{stranger}")
    said = tampered(path, "UPDATE proposals SET operator = 'nobody' WHERE number = 2")
    assert said.startswith("proposal 2: the operator was nobody, but the replay comes to ")
    tampered(path, "UPDATE proposals SET state = 'refused', kind = 'no_offspring', reason = 'none' WHERE number = 1")
    assert replay_run(path).proposals == 1
    said = tampered(path, "UPDATE proposals SET told = 9999 WHERE number = 1")
    assert said == "proposal 1: the begin point was result 9999, but the replay comes to result 40"


def test_what_an_older_version_did_not_record_is_said(tmp_path: Path) -> None:
    path = tmp_path / "run"
    config = configured(CLASSICAL, gens=5)
    searched(path, config, PacedEvaluator(GENOME), build_operators(config))
    with closing(sqlite3.connect(RunFolder(path).store)) as database, database:
        unguard(database)
        database.execute("UPDATE proposals SET newest_evaluation = NULL")
    replay = replay_run(path)
    assert (replay.difference, replay.proposals, replay.individuals) == (None, 0, 0)
    assert replay.unrecorded > 10
    assert f"; {replay.unrecorded} of an older version were left out" in str(replay)


def test_what_another_version_made_of_replies_is_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer() as server:
        config = configured({"llm_mutation": 1.0}, server.url, gens=2)
        with opened(path, config, PacedEvaluator(GENOME), build_operators(config)) as (search, store):
            found: dict[str, Any] = {"versions": {}, "devices": ["cpu (one)"], "revision": REVISION}
            store.record_event("started", {**found, "newest_proposal": 0})
            asyncio.run(search.run())
    said = tampered(path, "UPDATE exchanges SET reply = replace(reply, 'should lower', 'lowers') WHERE proposal = 1")
    assert replay_run(path).unrecorded == 1, said
    with opened(path, config, PacedEvaluator(GENOME), build_operators(config)) as (_, store):
        store.record_event("started", {**found, "replies_revision": REPLIES_REVISION, "newest_proposal": 0})
    assert str(replay_run(path).difference).startswith("proposal 1: the idea was ")
