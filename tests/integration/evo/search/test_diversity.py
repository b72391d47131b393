"""Islands, niches and exploration in whole searches: what they change, and that a killed run decides alike."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
from run_inspection import assert_complete, decisions, results
from search_driver import Command, Drivers
from searches import GENOME, Notes, Numbering, configuration, opened
from stand_in_evaluator import StandInEvaluator

from evo.config.config import Config
from evo.config.reading import overlaid
from evo.runs.lifecycle import view
from trainer.evaluation import Evaluation, Job

DIVERSITY: dict[str, Any] = {
    "islands": 2,
    "migrate_every": 4,
    "max_age": 12,
    "similarity": 0.9999,
    "descriptors": ["depth", "optimizer", "distance", "parameters"],
    "explore_after": 3,
}


class Flat(StandInEvaluator):
    """Finds generation 0 the best, and everybody else as bad."""

    def _scored(self, job: Job, program: Any) -> Evaluation:
        result = super()._scored(job, program)
        bpb = 1.0 if job.genome == self.generation_zero else 1.5
        result.objectives["val_bpb"] = bpb  # type: ignore[index]
        result.split_bpb.update(dict.fromkeys(result.split_bpb, bpb))  # type: ignore[attr-defined]
        return result


def configured(**diversity: Any) -> Config:
    return overlaid(configuration(4, 8), {"diversity": diversity})


@pytest.mark.parametrize("schedule", ["asynchronous", "generational"])
def test_a_killed_run_decides_as_the_uninterrupted_one(schedule: str, tmp_path: Path) -> None:
    config = {
        "search": {"pop": 4, "gens": 8, "schedule": schedule},
        "operators": {"weights": {"random": 2.0, "uniform": 1.0}},
        "diversity": DIVERSITY,
    }

    def command(path: Path, kill: tuple[str, int] | None = None) -> Command:
        return Command(str(path), config, evaluator={"slots": 1, "turns": 60}, kill=kill)

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    with Drivers(tmp_path / "stderr") as drivers:
        assert drivers.run(command(whole)) == 0, drivers.said()
        for moment in ("before the result is committed", "before the parents are selected", "while a candidate trains"):
            assert drivers.run(command(killed, (moment, 7))) == -signal.SIGKILL, (moment, drivers.said())
        assert drivers.run(command(killed)) == 0, drivers.said()
    assert_complete(killed)
    assert decisions(killed) == decisions(whole)
    assert results(killed) == results(whole)
    with view(killed) as one, view(whole) as other:
        assert one.standings.exploration.phases == other.standings.exploration.phases != ()
        assert one.standings.population == other.standings.population


def test_a_stalled_search_explores_and_says_so(tmp_path: Path) -> None:
    notes, operator = Notes(), Numbering()
    with opened(tmp_path / "run", configured(explore_after=6), Flat(GENOME), operator, notes) as (search, store):
        asyncio.run(search.run())
        phases = search.standings.exploration.phases
        assert len(phases) > 1
        said = [str(event.payload["remark"]) for event in store.events("exploration")]
        assert [remark for remark in notes.said if "explore" in remark] == said
        for phase in phases:
            assert sum(f"from result {phase.began} " in remark for remark in said) == 2 - (phase.ended is None)
        result_number = {proposal.number: proposal.result_number for proposal in store.proposals()}
    bold = [request.number for request in operator.requests if request.is_bold]
    assert bold
    for number in bold:
        assert any(phase.began <= result_number[number] < (phase.ended or 10**9) for phase in phases)


def test_a_search_explores_only_if_it_is_told_to(tmp_path: Path) -> None:
    operator = Numbering()
    with opened(tmp_path / "run", configured(), Flat(GENOME), operator) as (search, _):
        asyncio.run(search.run())
        assert search.standings.exploration.phases == ()
    assert not any(request.is_bold for request in operator.requests)


def test_parents_live_where_their_offspring_are_at_home(tmp_path: Path) -> None:
    config = configured(islands=2, migrate_every=1000)
    with opened(tmp_path / "run", config, StandInEvaluator(GENOME)) as (search, store):
        asyncio.run(search.run())
        families = {one.id: one.parents for one in store.individuals()}
    assert any(parents != (0,) for number, parents in families.items() if number)
    for number, parents in families.items():
        assert all(parent == 0 or parent % 2 == number % 2 for parent in parents)


def test_with_descriptors_parents_come_from_the_archive(tmp_path: Path) -> None:
    class Depths(Numbering):
        """Makes programs of different depths."""

        async def propose(self, request: Any) -> Any:
            proposal = await super().propose(request)
            lines = proposal.source.splitlines(keepends=True)
            deeper = [f"DEPTH = {2 ** (2 + request.number % 4)}\n" if "DEPTH =" in line else line for line in lines]
            return type(proposal)("".join(deeper), self.name, proposal.idea)

    config = configured(descriptors=["depth"], archive_fraction=1.0)
    with opened(tmp_path / "run", config, Flat(GENOME), Depths()) as (search, store):
        asyncio.run(search.run())
        oldest: dict[str, int] = {}
        for one in store.individuals():
            depth = store.source(one.id).split("DEPTH = ")[1].split("\n")[0]
            if one.id == 0 or store.measurements_of(one.id):
                oldest.setdefault(depth, one.id)
        parents = {parent for one in store.individuals() for parent in one.parents}
    # All offspring are as bad, so each depth has its oldest for an elite.
    assert len(parents) > 3
    assert parents <= set(oldest.values())
