"""Leaders by one lucky evaluation are evaluated again, and the budget, failures and resumption keep to that."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from paced_evaluator import PacedEvaluator
from searches import GENOME, Numbering, configuration, opened

from evo.store import Purpose
from evo.workers.evaluator import Slot
from trainer.evaluation import Evaluation, Job, Split, Status


@dataclass
class Lucky(PacedEvaluator):
    """All genomes are equally good; one evaluation in eight is lucky."""

    asked: list[Job] = field(default_factory=list)

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        self.asked.append(job)
        result = await super().verdict(slot, job)
        if result.status is not Status.OK:
            return result
        chance = random.Random(f"{job.genome}:{job.seed}").random()
        bpb = 1.5 if chance < 1 / 8 else 1.8 + 0.01 * chance
        return replace(
            result,
            objectives={**result.objectives, "val_bpb": bpb},
            split_bpb=dict.fromkeys((*job.splits, Split.HOLDOUT), bpb),
        )


class FailsAgain(Lucky):
    """Nobody survives a second seed."""

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        result = await super().verdict(slot, job)
        if job.seed >= 500:
            return replace(result, status=Status.CRASHED, objectives={}, split_bpb={})
        return result


def test_who_leads_was_measured_more_than_once(tmp_path: Path) -> None:
    evaluator = Lucky(GENOME, slots=4)
    with opened(tmp_path / "run", configuration(8, 10), evaluator) as (search, store):
        asyncio.run(search.run())
        outcomes = list(store.outcomes())
        assert len(outcomes) == 80
        again = [one for one in outcomes if one.purpose is Purpose.REPLICATE]
        assert again
        assert {one.seed for one in again} == {500}
        by_individual = {one.individual for one in again}
        assert len(by_individual) == len(again)
        # At the end of the search nobody leads by one evaluation alone.
        assert all(one.replicates >= 2 for one in search.standings.archive.hall[:3])


def test_a_leader_that_fails_with_another_seed_is_not_asked_forever(tmp_path: Path) -> None:
    with opened(tmp_path / "run", configuration(8, 10), FailsAgain(GENOME, slots=2)) as (search, store):
        asyncio.run(search.run())
        again = [one for one in store.outcomes() if one.purpose is Purpose.REPLICATE]
        assert len(again) == len({one.individual for one in again})


@pytest.mark.parametrize("noise", [{"leaders": 0}, {"leader_seeds": 1}])
def test_second_looks_can_be_switched_off(tmp_path: Path, noise: dict[str, int]) -> None:
    with opened(tmp_path / "run", configuration(8, 10, noise=noise), Lucky(GENOME), Numbering()) as (search, store):
        asyncio.run(search.run())
        assert all(one.purpose is not Purpose.REPLICATE for one in store.outcomes())
