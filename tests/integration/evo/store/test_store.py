import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from run_samples import SEARCH, admit, evaluate, exchange, grow, source_of, verdict

from evo.errors import NewerStore, StoreError
from evo.store import EvaluationRequest, EvaluationState, OperatorTotals, ProposalState, Purpose, Store
from evo.store.schema import APPLICATION_ID, MIGRATIONS, VERSION
from trainer.evaluation import Split, Status


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a run, é" / "evo.db"


@pytest.fixture
def store(path: Path):
    path.parent.mkdir()
    with Store.create(path) as store:
        yield store


def test_a_proposal_is_open_until_it_is_admitted(store: Store) -> None:
    store.begin_proposal(0, "seed", (), result_number=0)
    assert store.proposal(0).state is ProposalState.OPEN
    assert [proposal.number for proposal in store.open_proposals()] == [0]
    (evaluation,) = store.admit(0, source=source_of(0), normal_form="n", idea="", evaluations=[SEARCH])
    assert store.open_proposals() == []
    assert store.individual(0).operator == "seed"
    assert store.source(0) == source_of(0)
    assert [queued.id for queued in store.queued()] == [evaluation]
    assert store.last_proposal_number() == 0


def test_a_refused_proposal_keeps_its_reason(store: Store) -> None:
    admit(store, 0)
    store.begin_proposal(1, "llm_mutation", (0,), result_number=0)
    store.refuse(1, "duplicate", "the same program as individual 0")
    refused = store.proposal(1)
    assert (refused.state, refused.kind, refused.parents) == (ProposalState.REFUSED, "duplicate", (0,))
    assert store.refused_source(1) is None
    with pytest.raises(StoreError, match="not open"):
        store.refuse(1, "duplicate", "again")


@pytest.mark.parametrize(
    ("source", "kept"), [(source_of(0), source_of(0)), ("x = '\ud800'\n", "x = '?'\n"), ("x" * 300_000, None)]
)
def test_a_refused_program_is_kept_unless_it_is_huge(store: Store, source: str, kept: str | None) -> None:
    admit(store, 0)
    store.begin_proposal(1, "random", (0,), result_number=0)
    store.refuse(1, "duplicate", "the same program as individual 0", source)
    assert store.refused_source(1) == kept
    assert store.breaches() == []


def test_an_admission_is_all_or_nothing(store: Store) -> None:
    admit(store, 0)
    store.begin_proposal(1, "random_mutation", (0,), result_number=0)
    with pytest.raises(StoreError, match="UNIQUE"):
        store.admit(1, source="x = 1", normal_form=source_of(0).strip(), idea="same program", evaluations=[SEARCH])
    assert store.proposal(1).state is ProposalState.OPEN
    assert [individual.id for individual in store.individuals()] == [0]
    assert len(store.queued()) == 1


def test_known_finds_a_program_by_its_normal_form(store: Store) -> None:
    admit(store, 0)
    assert store.known(source_of(0).strip()) == 0
    assert store.known("something else") is None


def test_a_proposal_knows_who_was_admitted_before_it_began_or_was_answered(store: Store) -> None:
    admit(store, 0)
    store.begin_proposal(2, "llm_mutation", (0,), result_number=0)
    admit(store, 1, (0,))
    first, second = source_of(0).strip(), source_of(1).strip()
    assert store.known(second) == 1
    assert (store.known(first, proposal=2), store.known(second, proposal=2)) == (0, None)
    journal = store.journal(2)
    journal.record_request(0, exchange().request)
    assert store.known(second, proposal=2) is None
    journal.record_exchange(0, exchange())
    assert store.known(second, proposal=2) == 1


def test_a_store_of_the_first_schema_is_brought_up_to_date(path: Path) -> None:
    path.parent.mkdir()
    first = MIGRATIONS[0]
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in first.statements:
            database.execute(statement)
        database.execute("INSERT INTO migrations VALUES (?, ?, 0.0)", (first.number, first.name))
        database.execute("INSERT INTO proposals (number, operator, told, created_at) VALUES (7, 'seed', 0, 0.0)")
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute("PRAGMA user_version = 1")
        database.execute("PRAGMA journal_mode = WAL")
    with Store.read(path) as reader:  # a finished run of an older version is looked at without resuming it
        assert [one.number for one in reader.open_proposals()] == [7]
        assert reader.queued() == []
    with Store.open(path) as store:
        admit(store, 0)
        assert store.known(source_of(0).strip(), proposal=7) == 0
    with Store.read(path) as reader:
        assert [one.number for one in reader.open_proposals()] == [7]


def test_parents_keep_their_order(store: Store) -> None:
    grow(store, None, range(3))
    store.begin_proposal(3, "llm_crossover", (2, 0), result_number=3)
    assert store.proposal(3).parents == (2, 0)
    assert store.individual(2).parents == (1, 0)


def test_results_are_told_in_the_order_of_acceptance(store: Store) -> None:
    first, second = admit(
        store, 0, evaluations=(SEARCH, EvaluationRequest(2, (Split.HOLDOUT, Split.FINAL), Purpose.CONFIRM))
    )
    assert evaluate(store, second, verdict(1.25)) == 1
    assert evaluate(store, first, verdict(status=Status.CRASHED)) == 2
    assert [record.id for record in store.results()] == [second, first]
    assert [record.id for record in store.results(after=1)] == [first]
    confirmed = store.evaluation(second)
    assert (confirmed.state, confirmed.result_number, confirmed.splits) == (
        EvaluationState.DONE,
        1,
        (Split.HOLDOUT, Split.FINAL),
    )
    assert confirmed.result == verdict(1.25)
    assert [outcome.status for outcome in store.outcomes_of(0)] == [Status.OK, Status.CRASHED]
    assert [outcome.objectives for outcome in store.outcomes()] == [verdict(1.25).objectives, {}]
    work = store.work()
    assert (work.attempts, work.by_status, work.worker_seconds) == (2, {Status.OK: 1, Status.CRASHED: 1}, 24.0)


def test_a_late_result_of_a_released_attempt_is_fenced_off(store: Store) -> None:
    (evaluation,) = admit(store, 0)
    stale = store.launch(evaluation, "cuda:0")
    assert store.release(evaluation, stale, "the worker was lost")
    current = store.launch(evaluation, "cuda:1")
    assert store.finish(evaluation, stale, verdict(0.5)) is None
    assert store.running()[0].id == evaluation
    assert store.finish(evaluation, current, verdict(1.5)) == 1
    assert store.finish(evaluation, current, verdict(0.5)) is None
    assert not store.release(evaluation, current, "too late")
    (outcome,) = store.outcomes()
    assert (outcome.objectives["val_bpb"], outcome.attempt, outcome.device) == (1.5, 2, "cuda:1")
    assert [event.payload["attempt"] for event in store.events("fenced_off")] == [1, 2]
    assert [attempt.state for attempt in store.attempts_of(evaluation)] == ["released", "accepted"]
    assert store.breaches() == []


def test_only_a_queued_evaluation_can_be_launched(store: Store) -> None:
    (evaluation,) = admit(store, 0)
    store.launch(evaluation, "cpu")
    with pytest.raises(StoreError, match="not queued"):
        store.launch(evaluation, "cpu")


def test_a_resumed_run_releases_what_was_running(store: Store) -> None:
    first, second, third = admit(store, 0, evaluations=(SEARCH,) * 3)
    evaluate(store, first)
    store.launch(third, "cpu")
    store.launch(second, "cpu")
    assert store.release_all_running("the driver was killed") == 2
    assert [queued.id for queued in store.queued()] == [second, third]
    assert store.running() == []


def test_exchanges_are_journaled_and_summed(store: Store) -> None:
    admit(store, 0)
    store.begin_proposal(1, "llm_mutation", (0,), result_number=0)
    journal = store.journal(1)
    assert journal.request(0) is None
    journal.record_request(0, {"model": "m", "attempt": 1})
    journal.record_request(0, exchange().request)
    assert journal.request(0) == exchange().request
    assert journal.exchange(0) is None
    assert store.spending().unanswered_calls == 1
    journal.record_exchange(0, exchange(0.25))
    journal.record_request(1, exchange().request)
    journal.record_exchange(1, exchange(None))
    assert store.journal(1).exchange(0) == exchange(0.25)
    assert store.exchanges(1) == [exchange(0.25), exchange(None)]
    spending = store.spending()
    assert (spending.calls, spending.unpriced_calls, spending.unanswered_calls) == (2, 1, 0)
    assert (spending.cost_usd, spending.input_tokens, spending.latency_seconds) == (0.25, 200, 3.0)
    assert store.breaches() == []


def test_calls_whose_tokens_no_server_counted_are_told_apart(store: Store) -> None:
    admit(store, 0)
    store.begin_proposal(1, "llm_mutation", (0,), result_number=0)
    quoting = {"content": [{"type": "text", "text": '{"tokens_estimated":true}'}]}
    for turn, reply in enumerate(({**quoting, "tokens_estimated": True}, quoting)):
        store.journal(1).record_request(turn, exchange().request)
        store.journal(1).record_exchange(turn, replace(exchange(), reply=reply))
    assert store.estimated_calls() == {exchange().model: 1}


def test_calls_without_a_reply_are_paid_for(store: Store) -> None:
    admit(store, 0)
    store.begin_proposal(1, "llm_mutation", (0,), result_number=0)
    journal = store.journal(1)
    journal.record_request(0, exchange().request)
    journal.record_abandoned(0, exchange(0.25))
    journal.record_abandoned(0, exchange(None))
    spending = store.spending()
    assert (spending.calls, spending.abandoned_calls, spending.unanswered_calls) == (0, 2, 1)
    assert (spending.cost_usd, spending.input_tokens) == (0.25, 200)
    assert spending.known_usd is None, "what one of them cost is unknown"
    assert journal.exchange(0) is None
    assert store.breaches() == []


def test_operators_have_totals_and_work_has_a_period(store: Store) -> None:
    assert (store.operator_totals(), store.period()) == ([], None)
    admit(store, 0)
    for number, operator, costs in ((1, "llm", (0.25, None, 0.5)), (2, "llm", (1.0,)), (3, "random", ())):
        store.begin_proposal(number, operator, (0,), result_number=0)
        for turn, cost in enumerate(costs):
            store.journal(number).record_request(turn, {})
            store.journal(number).record_exchange(turn, exchange(cost))
    store.journal(3).record_request(0, {})
    store.refuse(3, "no_offspring", "nothing left to vary")
    assert store.operator_totals() == [OperatorTotals("llm", 2, 1, 1.75), OperatorTotals("random", 1, 0, 0.0)]
    first, last = store.period() or (0.0, 0.0)
    assert (first, last) == (store.proposal(0).created_at, store.proposal(3).closed_at)


def test_an_answer_is_final(store: Store) -> None:
    store.begin_proposal(0, "seed", (), result_number=0)
    journal = store.journal(0)
    with pytest.raises(StoreError, match="Record the request first"):
        journal.record_exchange(0, exchange())
    journal.record_request(0, exchange().request)
    journal.record_exchange(0, exchange())
    with pytest.raises(StoreError, match="read an answered turn"):
        journal.record_request(0, {})
    with pytest.raises(StoreError, match="read an answered turn"):
        journal.record_exchange(0, exchange(9.0))
    assert store.spending().cost_usd == 0.25


def test_children_come_newest_first_with_what_became_of_them(store: Store) -> None:
    grow(store, None, range(2))
    good = admit(store, 2, (0,), idea="wider", evaluations=(SEARCH, SEARCH))
    (bad,) = admit(store, 3, (1, 0), idea="deeper")
    admit(store, 4, (0,), idea="not evaluated yet")
    evaluate(store, good[0], verdict(1.0))
    evaluate(store, good[1], verdict(2.0))
    evaluate(store, bad, verdict(status=Status.CRASHED, log_tail="Traceback"))
    deeper, wider, first = store.children_of((0, 1), limit=9)
    assert (deeper.id, deeper.idea, deeper.status, deeper.log_tail) == (3, "deeper", "crashed", "Traceback")
    assert (deeper.objectives, deeper.reason) == ({}, "it raised ValueError")
    assert (wider.id, wider.objectives["val_bpb"]) == (2, 1.5)
    assert first.id == 1
    assert [child.id for child in store.children_of((0,), limit=2)] == [3, 2]


def test_children_are_seen_as_they_were_when_a_proposal_began(store: Store) -> None:
    grow(store, None, range(1))
    evaluations = admit(store, 1, (0,), evaluations=(SEARCH, SEARCH))
    evaluate(store, evaluations[0], verdict(1.0))
    evaluate(store, evaluations[1], verdict(2.0))
    (child,) = store.children_of((0,), limit=9, result_number=2)
    assert child.objectives["val_bpb"] == 1.0
    assert store.children_of((0,), limit=9, result_number=1) == []


def test_writes_can_share_one_transaction(store: Store, path: Path) -> None:
    (evaluation,) = admit(store, 0)

    def fail_half_way() -> None:
        with store.transaction():
            store.set_meta("half", "done")
            store.launch(evaluation + 1, "cpu")

    with pytest.raises(StoreError, match="not queued"):
        fail_half_way()
    assert store.meta("half") is None
    with store.transaction():
        store.finish(evaluation, store.launch(evaluation, "cpu"), verdict())
        store.begin_proposal(1, "random_mutation", (0,), result_number=1)
    with Store.read(path) as view:
        assert view.last_result_number() == 1


def test_the_outcome_of_one_evaluation_is_read(store: Store) -> None:
    grow(store, None, range(1))
    evaluation = store.enqueue(0, SEARCH)
    assert [queued.id for queued in store.queued()] == [evaluation]
    evaluate(store, evaluation, verdict(1.25))
    assert store.outcome(evaluation).objectives["val_bpb"] == 1.25
    with pytest.raises(StoreError, match="done evaluation 99"):
        store.outcome(99)


def test_meta_and_events_are_kept(store: Store) -> None:
    store.set_meta("config", "a = 1")
    store.set_meta("config", "a = 2")
    store.record_event("interrupted", {"signal": 2})
    store.record_event("resumed", {})
    assert store.meta("config") == "a = 2"
    assert store.meta("unknown") is None
    assert [event.kind for event in store.events()] == ["interrupted", "resumed"]
    assert [event.payload for event in store.events("interrupted")] == [{"signal": 2}]


def test_text_that_utf_8_cannot_express_is_kept_readable(store: Store) -> None:
    admit(store, 0, idea="a lone \ud800 surrogate, a \x00 and é")
    assert store.individual(0).idea == "a lone ? surrogate, a \x00 and é"


def test_pages_are_complete(store: Store) -> None:
    grow(store, None, range(1))
    with store.transaction():
        for _ in range(600):
            store.enqueue(0, EvaluationRequest(1, (Split.SELECTION,), Purpose.BASELINE))
        for queued in store.queued():
            evaluate(store, queued.id)
    assert [outcome.result_number for outcome in store.outcomes()] == list(range(1, 602))
    assert [record.result_number for record in store.results(after=200)] == list(range(201, 602))


def test_asking_for_what_is_not_there_says_so(store: Store) -> None:
    for ask in (store.individual, store.source, store.evaluation, store.proposal):
        with pytest.raises(StoreError, match=r"has no \w+ 7"):
            ask(7)


def test_readers_see_every_write_and_cannot_write(store: Store, path: Path) -> None:
    with Store.read(path) as view:
        individuals = view.individuals()
        grow(store, None, range(3))
        next(individuals)
        # A reader in the middle of its iteration does not hold the writer up.
        grow(store, None, range(3, 5))
        assert [individual.id for individual in individuals] == [1, 2, 3, 4]
        assert view.last_result_number() == 5
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            view._database.execute("DELETE FROM events")


def test_a_store_is_reopened_with_everything(store: Store, path: Path) -> None:
    grow(store, None, range(4))
    before = list(store.results())
    store.close()
    with Store.open(path) as reopened:
        assert list(reopened.results()) == before
        assert reopened.breaches() == []


def test_an_existing_file_is_not_overwritten(store: Store, path: Path) -> None:
    with pytest.raises(StoreError, match="Choose a new"):
        Store.create(path)


@pytest.mark.parametrize("opener", [Store.open, Store.read])
def test_a_store_of_a_newer_version_is_refused(store: Store, path: Path, opener) -> None:
    store._database.execute(f"PRAGMA user_version = {VERSION + 1}")
    store.close()
    with pytest.raises(NewerStore, match="newer version"):
        opener(path)


@pytest.mark.parametrize("opener", [Store.open, Store.read])
@pytest.mark.parametrize("content", [b"", b"not a database" * 100])
def test_a_file_that_is_no_store_is_refused(tmp_path: Path, opener, content: bytes) -> None:
    path = tmp_path / "evo.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"empty|not a store of a run"):
        opener(path)


@pytest.mark.parametrize("opener", [Store.open, Store.read])
def test_a_missing_store_and_a_foreign_database_are_refused(tmp_path: Path, opener) -> None:
    with pytest.raises(StoreError, match="Check that the run folder exists"):
        opener(tmp_path / "evo.db")
    foreign = sqlite3.connect(tmp_path / "foreign.db")
    foreign.execute("CREATE TABLE t (x)")
    foreign.close()
    with pytest.raises(StoreError, match="not the store of a run"):
        opener(tmp_path / "foreign.db")


@pytest.mark.parametrize("opener", [Store.open, Store.read])
@pytest.mark.parametrize("length", [60, 5000, 40_000])
def test_a_truncated_store_is_refused(store: Store, path: Path, opener, length: int) -> None:
    grow(store, None, range(10))
    store.close()
    os.truncate(path, length)
    with pytest.raises(StoreError, match="restore it from a copy"):
        opener(path)


def test_a_full_disk_is_an_error_that_says_what_to_do_and_loses_nothing(store: Store) -> None:
    grow(store, None, range(2))
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="Free some disk space"):
        store.record_event("large", {"text": "x" * 100_000})
    store._database.execute("PRAGMA max_page_count = 1000000")
    grow(store, None, range(2, 3))
    assert store.last_result_number() == 3
    assert store.breaches() == []


def test_the_writer_waits_for_a_reader_in_another_process(store: Store, path: Path) -> None:
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN');"
        "c.execute('SELECT count(*) FROM meta').fetchone(); print('reading', flush=True); sys.stdin.read(1); c.close()"
    )
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"reading\n"
        let_go = threading.Timer(0.2, reader.stdin.close)
        let_go.start()
        store.set_meta("waited", "yes")
        let_go.join()
    assert store.meta("waited") == "yes"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM individuals WHERE normal_form = 'x'",
        "SELECT max(told) FROM evaluations",
        "SELECT * FROM evaluations WHERE told IS NULL AND state = 'queued' ORDER BY id",
        "SELECT number FROM proposals WHERE state = 'open' ORDER BY number",
        "SELECT * FROM proposal_parents WHERE parent = 1 ORDER BY proposal DESC",
        "SELECT * FROM evaluations WHERE individual = 1 AND told IS NOT NULL ORDER BY told",
        "UPDATE attempts SET state = 'x' WHERE evaluation = 1 AND number = 1 AND state = 'running'",
    ],
)
def test_what_is_asked_for_every_candidate_needs_no_scan(store: Store, query: str) -> None:
    plan = [row["detail"] for row in store._database.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert not any(step.startswith("SCAN") and "INDEX" not in step for step in plan), plan
