"""Operators that bring something get more of the draws; what was learnt is shown, and learnt anew after a kill."""

from __future__ import annotations

import asyncio
from pathlib import Path

from paced_evaluator import PacedEvaluator
from searches import GENOME, Numbering, configuration, opened

from evo.config.config import Config
from evo.config.reading import overlaid
from evo.config.resolution import resolve
from evo.search.credit import read_arms
from evo.store import Purpose
from operators.choice import AdaptiveChoice
from operators.mutation.constants import ConstantMutation
from operators.proposal import Proposal, Request
from trainer.evaluation import Status


class Idle(Numbering):
    """Goes back to generation 0, with a difference that nothing could measure."""

    name = "idle"

    async def propose(self, request: Request) -> Proposal:
        source = f"{GENOME}\nUNUSED_{request.number} = 'x'\n"
        return Proposal(source, self.name, "nothing")


def adaptive() -> AdaptiveChoice:
    return AdaptiveChoice([(ConstantMutation(), 1.0), (Idle(), 1.0)])


def config(gens: int) -> Config:
    return resolve(overlaid(configuration(8, gens), {"operators": {"adaptive": True}}), {})


def test_draws_follow_the_improvements(tmp_path: Path) -> None:
    with opened(tmp_path / "run", config(30), PacedEvaluator(GENOME), adaptive()) as (search, store):
        asyncio.run(search.run())
        first = [one for one in store.outcomes() if one.purpose is Purpose.SEARCH and one.status is Status.OK]
        made = [store.individual(one.individual).operator for one in first[len(first) // 2 :]]
        arms = read_arms(store)
    assert made.count("constants") > made.count("idle") > 0
    assert set(arms) == {"constants", "idle"}
    assert arms["constants"]["tries"] > arms["idle"]["tries"] > 0
    assert arms["constants"]["improvements"] > arms["idle"]["improvements"]


def test_a_resumed_run_knows_what_it_had_learnt(tmp_path: Path) -> None:
    choice = adaptive()
    with opened(tmp_path / "run", config(10), PacedEvaluator(GENOME), choice) as (search, _):
        asyncio.run(search.run())
    again = adaptive()
    with opened(tmp_path / "run", config(12), PacedEvaluator(GENOME), again):
        assert again.arms == choice.arms
