"""The report of a real run: its search, store and lineage are the product's, only the training is not."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev

import pytest
from report_samples import SOURCE
from run_inspection import unguard
from run_samples import SEARCH, evaluate, exchange
from shown_pages import Page
from stand_in_evaluator import StandInEvaluator

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.errors import ReportError
from evo.lineage import Lineage
from evo.report.data import RunReport
from evo.report.loading import load_report
from evo.report.writing import write_report
from evo.runs.assemble import build_search
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import view
from evo.runs.status import State, read_status
from evo.search.observer import Observer
from evo.store import Store
from operators.choice import OperatorChoice
from operators.crossover.merge import MergeCrossover
from operators.crossover.uniform import UniformCrossover
from operators.mutation.mixed import RandomMutation
from operators.proposal import Proposal, Request
from trainer.evaluation import Status
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

_GENOME = SOURCE.replace(
    "BATCH_TOKENS = 4096", "BATCH_TOKENS = 4096\nBETA = 0.9\nDECAY = 0.01\nWARMUP = 0.1\nHEADS = 4"
)
_PRICE_USD = 0.125


class _PaidMutation:
    """A random mutation that journals a call of a language model, as the operators that make one do."""

    name = "paid"
    arity = 1

    async def propose(self, request: Request) -> Proposal:
        request.journal.record_request(0, {"model": "m"})
        request.journal.record_exchange(0, exchange(_PRICE_USD))
        return replace(await RandomMutation().propose(request), operator=self.name)


def _run(path: Path, *, pop: int, gens: int, confirm_fraction: float = 0.1, stop_after: int | None = None) -> RunFolder:
    """Search over stand-in training; `stop_after` interrupts after so many results."""
    data = {
        "search": {"pop": pop, "gens": gens, "seed": 3},
        "budget": {"train_seconds": 10.0},
        "noise": {"confirm_fraction": confirm_fraction},
        "workers": {"devices": ["cpu"]},
    }
    config = resolve(parse_config(data, "test"), {})
    choice = OperatorChoice(
        [(RandomMutation(), 2), (_PaidMutation(), 1), (UniformCrossover(), 2), (MergeCrossover(), 1)]
    )
    folder = RunFolder.create(path)
    with folder.lock(), Store.create(folder.store) as store:
        observer = _Interrupter(stop_after)
        search = build_search(
            config, store, Lineage.open(folder.lineage), StandInEvaluator(_GENOME), choice, observer, "cpu"
        )
        observer.search = search
        search.begin(_GENOME)
        folder.seal(config.to_toml())
        search.restore()
        stopped = asyncio.run(search.run())
        store.record_event("stopped", {"ending": stopped.stop_reason, "reason": stopped.reason})
    return folder


class _Interrupter(Observer):
    """Interrupts its search after so many results."""

    def __init__(self, after: int | None) -> None:
        self._after = after
        self.search = None

    def finished(self, record, outcome, standings, reason):
        if outcome.result_number == self._after:
            self.search.interrupt()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return _run(tmp_path_factory.mktemp("run") / "a run <é>", pop=6, gens=16)


@pytest.fixture(scope="module")
def report(folder: RunFolder) -> RunReport:
    with view(folder.path) as viewed:
        return load_report(viewed)


@pytest.fixture(scope="module")
def database(folder: RunFolder):
    connection = sqlite3.connect(folder.store)
    yield connection
    connection.close()


def _scores(database: sqlite3.Connection, individual: int, column: str = "objectives", key: str = "val_bpb"):
    """Return seed and value of every OK evaluation of an individual that has one."""
    query = f"SELECT seed, json_extract({column}, '$.{key}') FROM evaluations WHERE individual = ? AND status = 'ok'"
    return {seed: value for seed, value in database.execute(query, (individual,)) if value is not None}


def test_the_sample_has_everything_that_a_report_must_get_right(report):
    assert {row.operator for row in report.individuals} == {"seed", "random", "paid", "uniform", "merge"}
    assert len(report.summary.statuses) >= 3
    assert any(len(report.by_id[step.individual].parents) == 2 for step in report.best_line)
    assert report.best != 0


def test_every_result_is_there_as_the_store_holds_it(report, database):
    query = "SELECT told, individual, seed, status FROM evaluations WHERE told IS NOT NULL ORDER BY told"
    assert [(row.number, row.individual, row.seed, row.status) for row in report.evaluations] == list(
        database.execute(query)
    )
    assert report.summary.budget == len(report.evaluations) == 96
    counted = dict(database.execute("SELECT status, count(*) FROM evaluations WHERE told IS NOT NULL GROUP BY status"))
    assert report.summary.statuses == counted
    assert Status.LOST not in report.summary.statuses  # it ran again
    assert all(row.reason for row in report.evaluations if row.status is not Status.OK)


def test_individuals_have_the_means_of_their_evaluations(report, database):
    stored = database.execute("SELECT id FROM individuals ORDER BY id")
    assert [row.id for row in report.individuals] == [id_ for (id_,) in stored]
    for row in report.individuals:
        scores = _scores(database, row.id)
        assert row.replicates == len(scores)
        assert row.objectives.get("val_bpb") == (pytest.approx(fmean(scores.values())) if scores else None)
        parents = database.execute(
            "SELECT parent FROM proposal_parents WHERE proposal = ? ORDER BY position", (row.id,)
        )
        assert row.parents == tuple(parent for (parent,) in parents)
        assert bool(report.reasons[row.id]) == (row.status is not Status.OK)


def test_the_front_is_exactly_the_non_dominated(report):
    scored = [row for row in report.individuals if row.objectives]

    def dominated(one):
        bpb, speed = one.objectives["val_bpb"], one.objectives["tokens_per_second"]
        return any(
            other.objectives["val_bpb"] <= bpb
            and other.objectives["tokens_per_second"] >= speed
            and (other.objectives["val_bpb"], other.objectives["tokens_per_second"]) != (bpb, speed)
            for other in scored
        )

    assert set(report.front) == {row.id for row in scored if not dominated(row)}
    assert [report.by_id[id_].objectives["val_bpb"] for id_ in report.front] == sorted(
        report.by_id[id_].objectives["val_bpb"] for id_ in report.front
    )


def test_the_hypervolume_follows_the_front(report):
    numbers = [number for number, _ in report.summary.hypervolume]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] <= len(report.evaluations)
    shares = [budget_fraction for _, budget_fraction in report.summary.hypervolume]
    assert all(0 < budget_fraction <= 1 for budget_fraction in shares)
    assert shares[-1] > shares[0]
    assert report.summary.confirmed_front == ()  # selection looked at one objective


def test_the_line_of_the_best_follows_first_parents_with_the_stored_sources(report, database):
    ids = [step.individual for step in report.best_line]
    assert (ids[0], ids[-1]) == (0, report.best)
    assert all(report.by_id[child].parents[0] == parent for parent, child in pairwise(ids))
    for step in report.best_line:
        query = "SELECT source FROM genomes JOIN individuals ON genome = sha256 WHERE id = ?"
        assert step.source == database.execute(query, (step.individual,)).fetchone()[0]


def test_the_answer_is_the_finalist_with_the_largest_paired_gain_on_the_holdout_split(report, database):
    reference = _scores(database, 0, "split_bpb", "G")
    chosen_with = database.execute("SELECT seed FROM evaluations WHERE purpose = 'search'").fetchone()[0]
    gains, means = {}, {}
    for row in report.individuals[1:]:
        gate = _scores(database, row.id, "split_bpb", "G")
        gate.pop(chosen_with, None)
        if shared := reference.keys() & gate.keys():
            means[row.id] = fmean(gate[seed] for seed in shared), fmean(reference[seed] for seed in shared), len(shared)
            gains[row.id] = means[row.id][1] - means[row.id][0]
    assert len(gains) > 1
    assert report.best == max(gains, key=gains.__getitem__)
    best, zero, seeds = means[report.best]
    found = report.summary.gain
    assert (report.confirmed_split, found.seeds) == ("G", seeds)
    assert (found.own, found.generation_zero) == (pytest.approx(best), pytest.approx(zero))
    assert 0 < found.noise < found.margin
    assert report.summary.noise["val_bpb"] == pytest.approx(stdev(_scores(database, 0).values()))


def test_no_individual_is_the_best_so_far_unseen_by_the_holdout_split(report, database):
    query = "SELECT individual FROM evaluations WHERE json_extract(split_bpb, '$.G') IS NOT NULL"
    incumbents = {lead.individual for lead in report.leads}
    assert len(incumbents) > 1
    assert incumbents <= {individual for (individual,) in database.execute(query)}


def test_operators_are_charged_with_their_proposals_and_calls(report, database):
    query = "SELECT operator, count(*) FROM proposals WHERE number > 0 GROUP BY operator"
    asked = dict(database.execute(query))
    assert {one.name: one.proposals for one in report.operators} == asked
    calls = database.execute("SELECT count(*) FROM exchanges").fetchone()[0]
    assert calls == asked["paid"]
    assert {one.name: one.cost_usd for one in report.operators if one.cost_usd} == {
        "paid": pytest.approx(calls * _PRICE_USD)
    }
    assert report.summary.spending.known_usd == pytest.approx(calls * _PRICE_USD)
    offspring = sum(one.offspring for one in report.operators)
    assert offspring == len(report.individuals) - 1


def test_the_facts_of_the_run(report, database):
    assert report.name == "a run <é>"
    assert report.state == "Complete."
    assert (report.devices, report.sandbox_levels, report.clock) == (("stand-in",), ("none",), "cpu")
    assert (report.run_seed, report.generation_size, report.train_seconds) == (3, 6, 10.0)
    first = database.execute("SELECT created_at FROM proposals WHERE number = 0").fetchone()[0]
    last = database.execute("SELECT max(ended_at) FROM attempts").fetchone()[0]
    assert report.started == pytest.approx(first)
    assert report.wall_seconds == pytest.approx(last - first, abs=1.0)
    worked = database.execute("SELECT sum(worker_seconds) FROM evaluations").fetchone()[0]
    assert report.summary.work.worker_seconds == pytest.approx(worked)
    assert [objective.name for objective in report.objectives] == list(LANGUAGE_MODEL_OBJECTIVES)
    assert "Python" in report.versions


def test_the_written_page_shows_the_store_s_numbers(folder, report):
    with view(folder.path) as viewed:
        path = write_report(viewed)
    assert path == folder.report
    text = Page(path.read_text(encoding="utf-8")).words
    found = report.summary.gain
    gain = found.generation_zero - found.own
    for expected in (
        f"Individual {report.best}: val_bpb {found.own:.4f} on split G, {gain:.4f} ± {found.noise:.4f}",
        "96 of 96",
        f"Model calls ${report.summary.spending.known_usd:.2f}",
        f"On the front {len(report.front)}",
        "10 s on the cpu clock",
        *(f"{status.replace('_', ' ')} {count}" for status, count in report.summary.statuses.items()),
        *(f"#{row.id}" for row in report.ranking[:10]),
        *(f"{row.objectives['val_bpb']:.4f}" for row in report.ranking[:10]),
        *(f"{one.name} {one.proposals} {one.offspring} {one.scored} {one.failed}" for one in report.operators),
        *(f"#{step.individual}" for step in report.best_line[1:]),
    ):
        assert expected in text


def test_a_report_goes_where_it_is_told_and_replaces_what_was_there(folder, tmp_path):
    out = tmp_path / "page.html"
    out.write_text("old", encoding="utf-8")
    with view(folder.path) as viewed:
        assert write_report(viewed, out) == out
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert list(tmp_path.iterdir()) == [out]


def test_a_place_that_cannot_be_written_is_said(folder, tmp_path):
    (tmp_path / "folder").mkdir()
    with view(folder.path) as viewed:
        for out in (tmp_path / "absent" / "page.html", tmp_path / "folder"):
            with pytest.raises(ReportError, match="Name a file in a folder that you can write"):
                write_report(viewed, out)
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_an_interrupted_run_says_so_and_shows_what_it_has(tmp_path):
    folder = _run(tmp_path / "run", pop=4, gens=10, stop_after=9)
    with view(folder.path) as viewed:
        report = load_report(viewed)
        assert write_report(viewed).is_file()
    assert report.state == "Stopped early: the run was interrupted. `evo resume` continues it."
    assert 9 <= len(report.evaluations) < report.summary.budget
    assert report.summary.gain is None


def test_a_run_is_told_live_from_killed(tmp_path):
    folder = _run(tmp_path / "run", pop=4, gens=10, stop_after=9)
    with view(folder.path) as viewed:
        with folder.lock():
            assert load_report(viewed).state == "Running."
        with sqlite3.connect(folder.store) as database:
            unguard(database)
            database.execute("DELETE FROM events")
        database.close()
        assert load_report(viewed).state == "Cut off: the driver died. `evo resume` continues it."
        assert read_status(viewed).state is State.KILLED


def test_a_run_that_was_killed_after_its_budget_was_spent_is_finished_in_every_view(tmp_path):
    folder = _run(tmp_path / "run", pop=4, gens=2)
    with view(folder.path) as viewed:
        with sqlite3.connect(folder.store) as database:
            unguard(database)
            database.execute("DELETE FROM events")
        database.close()
        assert load_report(viewed).state == "Complete."
        assert read_status(viewed).state is State.FINISHED


def test_a_run_that_has_measured_nothing_has_a_report(tmp_path):
    folder = RunFolder.create(tmp_path / "run")
    config = resolve(parse_config({"workers": {"devices": ["cpu"]}}, "test"), {})
    Store.create(folder.store).close()
    folder.seal(config.to_toml())
    with view(folder.path) as viewed:
        report = load_report(viewed)
        assert "Nothing was scored" in write_report(viewed).read_text(encoding="utf-8")
    assert (report.best, report.front, report.best_line, report.individuals) == (None, (), (), ())


def test_results_that_arrive_while_one_looks_are_left_out(tmp_path):
    folder = _run(tmp_path / "run", pop=4, gens=4)
    with view(folder.path) as viewed:
        with Store.open(folder.store) as store:
            late = store.enqueue(0, SEARCH)
            evaluate(store, late)
        report = load_report(viewed)
        assert len(report.evaluations) == viewed.standings.result_number == 16
        assert report.by_id[0].objectives == viewed.standings.generation_zero.means()
