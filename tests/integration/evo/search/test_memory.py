"""What a proposal remembers: every idea before it, the same after a kill."""

from __future__ import annotations

import asyncio
from pathlib import Path

from paced_evaluator import PacedEvaluator
from searches import GENOME, Numbering, configuration, opened, searched

from evo.search.memory import EPOCH_RESULTS
from evo.search.search import Search
from operators.proposal import Fate, Memory, Proposal, Request
from trainer.objectives import Constraint

CONFIG = configuration(6, 14, noise={"baseline_replicates": 3})


class Remembering(Numbering):
    """Keeps what it remembers at every proposal."""

    def __init__(self, one_in: int = 7) -> None:
        super().__init__(one_in)
        self.memories: dict[int, Memory] = {}

    async def propose(self, request: Request) -> Proposal:
        self.memories[request.number] = request.known.memory
        return await super().propose(request)


def test_every_earlier_idea_is_remembered_with_what_became_of_it(tmp_path: Path) -> None:
    operator = Remembering()
    with opened(tmp_path / "run", CONFIG, PacedEvaluator(GENOME, slots=3), operator) as (search, store):
        asyncio.run(search.run())
        for number, memory in operator.memories.items():
            ideas = [*memory.settled, *memory.recent]
            assert sorted(idea.id for idea in ideas) == list(range(1, number))
            told = store.proposal(number).result_number
            for idea in ideas:
                measured = [one for one in store.measurements_of(idea.id) if one.result_number <= told]
                assert idea.id in {one.id for one in memory.settled} or (idea.fate is Fate.MEASURED) == bool(measured)
        last = operator.memories[max(operator.memories)]
        fates = {idea.fate for idea in (*last.settled, *last.recent)}
        assert {Fate.MEASURED, Fate.REFUSED} <= fates
        assert {Fate.PROPOSED, Fate.WAITING} & {
            idea.fate for memory in operator.memories.values() for idea in memory.recent
        }
        one = next(idea for idea in last.settled if idea.effect)
        difference = search.standings.difference(one.id, one.effect.parent)  # type: ignore[union-attr]
        assert difference is not None


def test_what_is_settled_changes_only_with_every_so_many_results(tmp_path: Path) -> None:
    operator = Remembering()
    with opened(tmp_path / "run", CONFIG, PacedEvaluator(GENOME, slots=3), operator) as (search, store):
        asyncio.run(search.run())
        epochs: dict[int, set[str]] = {}
        for number, memory in operator.memories.items():
            epoch = store.proposal(number).result_number // EPOCH_RESULTS
            epochs.setdefault(epoch, set()).add(str(memory.settled))
    assert len(epochs) > 2
    assert all(len(settled) == 1 for settled in epochs.values())


def test_what_else_decides_and_what_is_broken_is_remembered(tmp_path: Path) -> None:
    operator = Remembering()
    config = configuration(3, 4, objectives=["val_bpb", "tokens_per_second"], noise={"baseline_replicates": 1})
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME, slots=1), operator) as (search, _):
        search.standings.constraints = (Constraint("val_bpb", ">", 100.0),)
        asyncio.run(search.run())
    measured = [idea for idea in operator.memories[max(operator.memories)].recent if idea.fate is Fate.MEASURED]
    assert measured
    assert all([*idea.others] == ["tokens_per_second"] and idea.broken == ("val_bpb > 100",) for idea in measured)


class Stalling(Remembering):
    """Interrupts the search in its proposals from number 40 on, after it has remembered."""

    search: Search

    async def propose(self, request: Request) -> Proposal:
        if request.number < 40:
            return await super().propose(request)
        self.memories[request.number] = request.known.memory
        self.search.interrupt()
        await asyncio.Event().wait()
        raise AssertionError("a search that is interrupted ends its proposals")


def test_a_proposal_that_is_made_again_after_a_kill_remembers_the_same(tmp_path: Path) -> None:
    stalling, again = Stalling(), Remembering()
    with opened(tmp_path / "run", CONFIG, PacedEvaluator(GENOME, slots=2), stalling) as (search, _):
        stalling.search = search
        asyncio.run(search.run())
    searched(tmp_path / "run", CONFIG, PacedEvaluator(GENOME, slots=2), again)
    before, after = _without_seconds(stalling), _without_seconds(again)
    assert 40 in before
    assert {number: after[number] for number in before if number >= 40} == {n: before[n] for n in before if n >= 40}


def _without_seconds(operator: Remembering) -> dict[int, list[tuple[object, ...]]]:
    """Return what was remembered but for measured times."""
    return {
        number: [
            (
                idea.id,
                idea.parents,
                idea.text,
                idea.fate,
                idea.outcome,
                idea.value,
                idea.effect,
                idea.led,
                idea.offspring,
            )
            for idea in (*memory.settled, *memory.recent)
        ]
        for number, memory in operator.memories.items()
    }
