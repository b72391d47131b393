"""Everything that can be read from a run's store."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from evo.errors import StoreError
from evo.store import audit, connection, rows
from evo.store.records import (
    ABANDONED_CALL,
    LESSONS_ANSWERED,
    REPAIR,
    AttemptRecord,
    EvaluationRecord,
    Event,
    IndividualRecord,
    OperatorTotals,
    Outcome,
    Payment,
    ProposalRecord,
    Purpose,
    SlotUse,
    SmokeRun,
    Spending,
    Work,
    mean_objectives,
)
from evo.text import sha256
from operators.proposal import Exchange, Relative
from trainer.evaluation import Status

PAGE_ROWS = 256
"""Rows read at a time: no read lock is held between pages, so that a slow reader never blocks the driver."""

_EVERYTHING = 2**63 - 1

_CHILDREN = """
    SELECT DISTINCT l.proposal FROM proposal_parents AS l
    WHERE l.parent = ? AND EXISTS (SELECT 1 FROM evaluations AS e WHERE e.individual = l.proposal AND e.told <= ?)
    ORDER BY l.proposal DESC LIMIT ?
"""

_EVALUATED_MEANWHILE = """
    SELECT DISTINCT e.individual FROM proposals AS p JOIN evaluations AS e ON e.id <= p.newest_evaluation
    WHERE p.number = ? AND (e.told IS NULL OR e.told > p.told)
"""

_KNOWN = "SELECT id FROM individuals WHERE normal_form = ?"

_KNOWN_TO_PROPOSAL = f"""
    {_KNOWN} AND (SELECT min(e.id) FROM evaluations AS e WHERE e.individual = individuals.id) <= coalesce(
        (SELECT max(newest_evaluation) FROM exchanges WHERE proposal = ?),
        (SELECT newest_evaluation FROM proposals WHERE number = ?),
        {_EVERYTHING})
"""  # noqa: S608 - composed of constants only

_TOTALS = ", ".join(
    f"coalesce(sum({one.name}), {one.default}) AS {one.name}"
    for one in dataclasses.fields(Spending)
    if one.name not in ("abandoned_calls", "unanswered_calls", "estimated_calls")
)
_SPENDING = f"""
    SELECT {_TOTALS}, (SELECT count(*) FROM exchanges WHERE replied_at IS NULL) AS unanswered_calls FROM spending
"""  # noqa: S608 - composed of constants only

# What a reply itself holds of these words stands in a text, where the quotation marks are escaped.
_ESTIMATED = """
    SELECT model, count(*) AS calls FROM (
        SELECT model, reply FROM exchanges
        UNION ALL SELECT json_extract(payload, '$.model'), payload FROM events WHERE kind = 'lessons_answered'
    )
    WHERE instr(reply, '"tokens_estimated":true') GROUP BY model
"""

_WORK = """
    SELECT (SELECT count(*) FROM attempts) AS attempts,
           coalesce(sum(train_seconds), 0.0) AS train_seconds,
           coalesce(sum(worker_seconds), 0.0) AS worker_seconds
    FROM evaluations
"""

_SMOKE_RUN = """
    SELECT status, reason, output, device, seconds FROM smoke_runs
    WHERE genome = ? AND proposal = coalesce(?, proposal) ORDER BY at DESC LIMIT 1
"""

_OCCUPIED = """
    SELECT (SELECT total(worker_seconds) FROM evaluations)
         + (SELECT total(ended_at - launched_at) FROM attempts WHERE state = 'released')
         + (SELECT total(seconds) FROM smoke_runs)
"""

_PAYMENTS = """
    SELECT finished_at AS at, worker_seconds, 0.0 AS cost_usd FROM evaluations WHERE told IS NOT NULL
    UNION ALL SELECT ended_at, ended_at - launched_at, 0.0 FROM attempts WHERE state = 'released'
    UNION ALL SELECT at, seconds, 0.0 FROM smoke_runs
    UNION ALL SELECT replied_at, 0.0, cost_usd FROM exchanges WHERE replied_at IS NOT NULL
    UNION ALL SELECT at, 0.0, json_extract(payload, '$.cost_usd') FROM events WHERE kind = 'lessons_answered'
    ORDER BY at
"""

_WHOLE_RESULTS = """
    FROM evaluations AS e JOIN results AS r ON r.evaluation = e.id
    WHERE e.individual = ? AND e.status = 'ok' AND e.share = 1
"""

_RATE = "avg(json_extract(r.body, '$.train_tokens_per_second'))"

_THROUGHPUT = f"SELECT {_RATE} {_WHOLE_RESULTS}"

_THROUGHPUT_BY_CLASS = f"SELECT e.device_class, {_RATE} {_WHOLE_RESULTS} GROUP BY e.device_class"

_SPLIT_MEANS = """
    SELECT avg(selection) AS selection, avg(holdout) AS holdout
    FROM (
        SELECT json_extract(split_bpb, '$.S') AS selection, json_extract(split_bpb, '$.G') AS holdout
        FROM evaluations
        WHERE individual = ? AND told IS NOT NULL
    )
    WHERE selection IS NOT NULL AND holdout IS NOT NULL
"""

_SEEDS = """
    SELECT individual, seed, max(state = 'done') AS is_done
    FROM evaluations
    WHERE individual IN (SELECT value FROM json_each(?))
    GROUP BY individual, seed
"""

_LONGEST = f"""
    SELECT max(e.train_seconds) AS command, max(json_extract(r.body, '$.timings.score_seconds')) AS score
    {_WHOLE_RESULTS}
"""

_SLOT_USES = """
    SELECT a.device, e.individual, e.purpose, a.state, e.status, a.launched_at, a.ended_at,
           CASE WHEN a.state = 'accepted' THEN json_extract(r.body, '$.timings.train_wall_seconds') END
               AS train_wall_seconds,
           CASE WHEN a.state = 'accepted' THEN e.device_class END AS device_class
    FROM attempts AS a JOIN evaluations AS e ON e.id = a.evaluation LEFT JOIN results AS r ON r.evaluation = e.id
    ORDER BY a.launched_at
"""

_OPERATOR_TOTALS = """
    WITH paid AS (
        SELECT proposal, count(*) - count(cost_usd) AS unpriced_calls, total(cost_usd) AS cost_usd
        FROM exchanges WHERE replied_at IS NOT NULL GROUP BY proposal
    )
    SELECT operator, count(*) AS proposals,
           coalesce(sum(unpriced_calls), 0) AS unpriced_calls, total(cost_usd) AS cost_usd
    FROM proposals LEFT JOIN paid ON proposal = number
    WHERE number > 0
    GROUP BY operator ORDER BY operator
"""

_PERIOD = """
    SELECT min(at) AS first, max(at) AS last FROM (
        SELECT created_at AS at FROM proposals UNION ALL SELECT closed_at FROM proposals
        UNION ALL SELECT launched_at FROM attempts UNION ALL SELECT ended_at FROM attempts
    )
"""


class StoreView:
    """A store opened for reading; `Store` adds the writes. Use it from the thread that made it."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database

    def close(self) -> None:
        """Close the file; more than once is fine."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Meta

    def meta(self, key: str) -> str | None:
        """Return the text kept under `key`, or None."""
        found = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return found[0]["value"] if found else None

    # Proposals

    def proposal(self, number: int) -> ProposalRecord:
        """Return one proposal; raise StoreError when there is none."""
        return rows.proposal(self._the_row("proposal", number, f"{rows.PROPOSALS} WHERE p.number = ?"))

    def proposals(self, after: int = -1) -> Iterator[ProposalRecord]:
        """Iterate over the proposals by number, from `after` + 1 on."""
        query = f"{rows.PROPOSALS} WHERE p.number > ? ORDER BY p.number LIMIT ?"
        return map(rows.proposal, self._pages(query, "number", after=after))

    def open_proposals(self) -> list[ProposalRecord]:
        """Return the proposals that are neither admitted nor refused, by number."""
        return [rows.proposal(row) for row in self._rows(f"{rows.PROPOSALS} WHERE p.state = 'open' ORDER BY p.number")]

    def repairs(self) -> dict[int, int]:
        """Return which individual that crashed each repair is to mend, by the number of its proposal."""
        return {event.payload["proposal"]: event.payload["crashed"] for event in self.events(REPAIR)}

    def last_proposal_number(self) -> int | None:
        """Return the highest number that a proposal has, or None before the first."""
        number: int | None = self._value("SELECT max(number) FROM proposals")
        return number

    def exchanges(self, number: int) -> list[Exchange]:
        """Return the answered exchanges of one proposal, by turn."""
        query = f"{rows.EXCHANGES} WHERE proposal = ? AND replied_at IS NOT NULL ORDER BY turn"
        return [rows.exchange(row) for row in self._rows(query, number)]

    def answering_models(self) -> dict[int, str]:
        """Return the names under which models gave the last answer of each proposal that asked one."""
        query = "SELECT proposal, model FROM exchanges WHERE replied_at IS NOT NULL ORDER BY proposal, turn"
        return {row["proposal"]: row["model"] for row in self._rows(query)}

    def cost_of(self, number: int) -> float:
        """Return the cost of a proposal's answered exchanges, US dollars; unknown prices count as 0."""
        return float(self._value("SELECT total(cost_usd) FROM exchanges WHERE proposal = ?", number))

    # Individuals

    def individual(self, individual: int) -> IndividualRecord:
        """Return one individual; raise StoreError when there is none."""
        return rows.individual(self._the_row("individual", individual, f"{rows.INDIVIDUALS} WHERE i.id = ?"))

    def has_individual(self, individual: int) -> bool:
        """Return whether there is an individual of this number."""
        return bool(self._value("SELECT count(*) FROM individuals WHERE id = ?", individual))

    def individuals(self) -> Iterator[IndividualRecord]:
        """Iterate over all individuals by id, without their sources."""
        query = f"{rows.INDIVIDUALS} WHERE i.id > ? ORDER BY i.id LIMIT ?"
        return map(rows.individual, self._pages(query, "id"))

    def source(self, individual: int) -> str:
        """Return the genome of an individual; raise StoreError when there is none."""
        query = "SELECT source FROM genomes JOIN individuals ON genome = sha256 WHERE id = ?"
        source: str = self._the_row("individual", individual, query)["source"]
        return source

    def refused_source(self, number: int) -> str | None:
        """Return the last program that a refused proposal came to; None where it came to none, or none was kept."""
        query = "SELECT source FROM genomes JOIN refused_programs ON genome = sha256 WHERE proposal = ?"
        found = self._rows(query, number)
        return found[0]["source"] if found else None

    def known(self, normal_form: str, *, proposal: int | None = None) -> int | None:
        """Return the individual whose code has this normal form, or None.

        Args:
            normal_form: of a program.
            proposal: look only among the individuals admitted before this proposal began or, if it called a language
                model, before its newest reply. So a proposal repeated after a kill or in a replay meets the same
                verdicts. A store of a version that did not record this gives all individuals.
        """
        digest = sha256(normal_form)
        if proposal is None:
            found = self._rows(_KNOWN, digest)
        else:
            found = self._rows(_KNOWN_TO_PROPOSAL, digest, proposal, proposal)
        return found[0]["id"] if found else None

    def smoke_run(self, number: int | None, source: str) -> SmokeRun | None:
        """Return what came of the smoke run of a source for a proposal, or else for the newest one; None before it."""
        found = self._rows(_SMOKE_RUN, sha256(source), number)
        return rows.smoke_run(found[0]) if found else None

    def smoke_runs_of(self, number: int) -> list[SmokeRun]:
        """Return the smoke runs of a proposal, oldest first."""
        query = "SELECT status, reason, output, device, seconds FROM smoke_runs WHERE proposal = ? ORDER BY at"
        return [rows.smoke_run(row) for row in self._rows(query, number)]

    def smoke_counts(self) -> dict[Status, int]:
        """Return how many smoke runs of offspring ended in which way."""
        query = "SELECT status, count(*) AS runs FROM smoke_runs WHERE proposal > 0 GROUP BY status ORDER BY status"
        return {Status(row["status"]): row["runs"] for row in self._rows(query)}

    def children_of(self, parents: Sequence[int], *, limit: int, result_number: int | None = None) -> list[Relative]:
        """Return evaluated offspring of any of `parents`, newest first.

        A child's objectives are means over its evaluations that ended OK; the other fields come from the newest of
        those, or from the newest evaluation where none did. Only results up to `result_number` are used, so that a
        proposal repeated after a kill sees what it saw before; None uses all.
        """
        horizon = _EVERYTHING if result_number is None else result_number
        children = {row[0] for parent in set(parents) for row in self._rows(_CHILDREN, parent, horizon, limit)}
        return [self._relative(child, horizon) for child in sorted(children, reverse=True)[:limit]]

    def _relative(self, individual: int, result_number: int) -> Relative:
        record = self.individual(individual)
        outcomes = [outcome for outcome in self.outcomes_of(individual) if outcome.result_number <= result_number]
        succeeded = [outcome for outcome in outcomes if outcome.status is Status.OK and outcome.purpose.counts]
        newest = (succeeded or outcomes)[-1]
        result = self.evaluation(newest.evaluation).result
        reason, log_tail = (result.reason, result.log_tail) if result else ("", "")
        if newest.status is Status.OK and newest.purpose is Purpose.SCREEN:
            reason, log_tail = f"only tried with {newest.budget_fraction:g} of the training budget", ""
        return Relative(
            id=record.id,
            parents=record.parents,
            idea=record.idea,
            operator=record.operator,
            status=newest.status,
            objectives=mean_objectives(succeeded),
            reason=reason,
            log_tail=log_tail,
        )

    # Evaluations

    def evaluation(self, evaluation: int) -> EvaluationRecord:
        """Return one evaluation; raise StoreError when there is none."""
        return rows.evaluation(self._the_row("evaluation", evaluation, f"{rows.EVALUATIONS} WHERE e.id = ?"))

    def evaluations_of(self, individual: int) -> list[EvaluationRecord]:
        """Return the evaluations of an individual with their complete results, oldest first."""
        query = f"{rows.EVALUATIONS} WHERE e.individual = ? ORDER BY e.id"
        return [rows.evaluation(row) for row in self._rows(query, individual)]

    def seeds_of(self, individuals: Iterable[int]) -> dict[tuple[int, int], bool]:
        """Return individual and seed of the evaluations of some individuals, and whether one with these is done."""
        found = self._rows(_SEEDS, json.dumps([*individuals]))
        return {(row["individual"], row["seed"]): bool(row["is_done"]) for row in found}

    def evaluated_meanwhile(self, proposal: int) -> frozenset[int]:
        """Return the individuals that waited for an evaluation, or were being evaluated, when a proposal began."""
        return frozenset(row[0] for row in self._rows(_EVALUATED_MEANWHILE, proposal))

    def queued(self) -> list[EvaluationRecord]:
        """Return the evaluations that wait for a worker, in the order of their requests."""
        return self._pending("queued")

    def running(self) -> list[EvaluationRecord]:
        """Return the evaluations that are launched and not yet finished, in the order of their requests."""
        return self._pending("running")

    def results(self, after: int = 0) -> Iterator[EvaluationRecord]:
        """Iterate over done evaluations with complete results, in the order of acceptance, from `after` + 1 on."""
        query = f"{rows.EVALUATIONS} WHERE e.told > ? ORDER BY e.told LIMIT ?"
        return map(rows.evaluation, self._pages(query, "result_number", after=after))

    def outcomes(self, after: int = 0) -> Iterator[Outcome]:
        """Iterate over the small parts of done evaluations, in the order of acceptance, from `after` + 1 on."""
        query = f"{rows.OUTCOMES} WHERE told > ? ORDER BY told LIMIT ?"
        return map(rows.outcome, self._pages(query, "result_number", after=after))

    def outcome(self, evaluation: int) -> Outcome:
        """Return the small part of a done evaluation; raise StoreError when it is not done."""
        query = f"{rows.OUTCOMES} WHERE id = ? AND told IS NOT NULL"
        return rows.outcome(self._the_row("done evaluation", evaluation, query))

    def outcomes_of(self, individual: int) -> list[Outcome]:
        """Return the small parts of an individual's done evaluations, in the order of acceptance."""
        query = f"{rows.OUTCOMES} WHERE individual = ? AND told IS NOT NULL ORDER BY told"
        return [rows.outcome(row) for row in self._rows(query, individual)]

    def measurements_of(self, individual: int) -> list[Outcome]:
        """Return those of an individual's outcomes that enter its means."""
        return [one for one in self.outcomes_of(individual) if one.status is Status.OK and one.purpose.counts]

    def train_tokens_per_second(self, individual: int) -> float | None:
        """Return the mean throughput of an individual's whole trainings; None where it counted no tokens."""
        mean: float | None = self._value(_THROUGHPUT, individual)
        return mean

    def tokens_per_second_by_class(self, individual: int) -> dict[str | None, float]:
        """Return the mean throughput of an individual's whole trainings by device class, where it counted tokens."""
        return {name: mean for name, mean in self._rows(_THROUGHPUT_BY_CLASS, individual) if mean is not None}

    def split_means(self, individual: int) -> tuple[float, float] | None:
        """Return an individual's mean bits per byte on splits S and G, of evaluations with both; None before one."""
        (row,) = self._rows(_SPLIT_MEANS, individual)
        return None if row["selection"] is None else (row["selection"], row["holdout"])

    def longest_seconds(self, individual: int) -> tuple[float, float] | None:
        """Return the longest training and the longest scoring of an individual's whole evaluations; None before one."""
        (row,) = self._rows(_LONGEST, individual)
        return None if row["command"] is None else (row["command"], row["score"] or 0.0)

    def spent(self) -> float:
        """Return the cost of all accepted results, in evaluations of the whole budget."""
        return float(self._value("SELECT total(share) FROM evaluations WHERE told IS NOT NULL"))

    def last_result_number(self) -> int:
        """Return how many results have been accepted."""
        return self._value("SELECT max(told) FROM evaluations") or 0

    def attempts_of(self, evaluation: int) -> list[AttemptRecord]:
        """Return every launch of an evaluation, oldest first."""
        query = "SELECT * FROM attempts WHERE evaluation = ? ORDER BY number"
        return [AttemptRecord(**row) for row in self._rows(query, evaluation)]

    def slot_uses(self) -> list[SlotUse]:
        """Return every launch with what it was for, oldest first."""
        return [SlotUse(**{**row, "purpose": Purpose(row["purpose"])}) for row in self._rows(_SLOT_USES)]

    def data_version(self) -> int:
        """Return a number that changes whenever another connection has committed something; it is cheap."""
        version: int = self._value("PRAGMA data_version")
        return version

    def _pending(self, state: str) -> list[EvaluationRecord]:
        query = f"{rows.EVALUATIONS} WHERE e.told IS NULL AND e.state = ? ORDER BY e.id"
        return [rows.evaluation(row) for row in self._rows(query, state)]

    # Totals and events

    def spending(self) -> Spending:
        """Return the totals over all calls of language models; of abandoned calls, what they cost."""
        (totals,) = self._rows(_SPENDING)
        spending = Spending(**totals)
        for call, add in self._calls_beside_exchanges():
            spending = add(spending, call)
        return spending

    def spending_by_model(self) -> dict[str, Spending]:
        """Return the same by the name under which a model answered; unanswered requests belong to none."""
        models = {
            row["model"]: Spending(**{name: row[name] for name in row.keys() if name != "model"})  # noqa: SIM118
            for row in self._rows("SELECT * FROM spending ORDER BY model")
        }
        for call, add in self._calls_beside_exchanges():
            models[call["model"]] = add(models.get(call["model"], Spending()), call)
        return models

    def estimated_calls(self) -> dict[str, int]:
        """Return how many calls of each model have tokens that the server did not count; it reads all replies."""
        return {row["model"]: row["calls"] for row in self._rows(_ESTIMATED)}

    def _calls_beside_exchanges(self) -> Iterator[tuple[Mapping[str, Any], Callable[..., Spending]]]:
        """Yield the calls of language models that are events, with what adds each to a total."""
        for kind, add in ((ABANDONED_CALL, Spending.with_abandoned), (LESSONS_ANSWERED, Spending.with_answered)):
            yield from ((event.payload, add) for event in self.events(kind))

    def work(self) -> Work:
        """Return the totals over all evaluations; it reads all of them, so do not call it for each candidate."""
        (totals,) = self._rows(_WORK)
        by_status = self._rows("SELECT status, count(*) FROM evaluations WHERE told IS NOT NULL GROUP BY status")
        return Work(by_status={Status(status): count for status, count in by_status}, **totals)

    def occupied_seconds(self) -> float:
        """Return the wall seconds that workers were occupied, lost and abandoned attempts included."""
        return float(self._value(_OCCUPIED))

    def payments(self) -> list[Payment]:
        """Return everything that the run has used, oldest first."""
        return [Payment(**row) for row in self._rows(_PAYMENTS)]

    def success_seconds(self) -> float:
        """Return the mean wall seconds of a worker for a whole evaluation that ended OK; 0.0 before the first."""
        return self._value("SELECT avg(worker_seconds) FROM evaluations WHERE status = 'ok' AND share = 1") or 0.0

    def operator_totals(self) -> list[OperatorTotals]:
        """Return the totals over the proposals of each operator, by name, without generation 0."""
        return [OperatorTotals(**row) for row in self._rows(_OPERATOR_TOTALS)]

    def period(self) -> tuple[float, float] | None:
        """Return when the first proposal began and when the last work was done; None before anything began."""
        (row,) = self._rows(_PERIOD)
        return None if row["first"] is None else (row["first"], row["last"])

    def events(self, kind: str | None = None, after: int = -1) -> Iterator[Event]:
        """Iterate over the events, oldest first, from the id `after` + 1 on; only those of `kind` when it is given."""
        of_kind, parameters = ("", ()) if kind is None else ("kind = ? AND", (kind,))
        query = f"SELECT * FROM events WHERE {of_kind} id > ? ORDER BY id LIMIT ?"  # noqa: S608 - one of two constants
        return map(rows.event, self._pages(query, "id", *parameters, after=after))

    def breaches(self) -> list[str]:
        """Return a sentence for every violated invariant of the tables; it reads the whole store."""
        with connection.store_errors(self.path):
            return audit.breaches(self._database)

    # Rows

    def _rows(self, query: str, *parameters: Any) -> list[sqlite3.Row]:
        with connection.store_errors(self.path):
            return self._database.execute(query, parameters).fetchall()

    def _pages(self, query: str, key: str, *parameters: Any, after: int = -1) -> Iterator[sqlite3.Row]:
        """Iterate over the rows of `query`, whose last two parameters are the last `key` read and the page's size."""
        while page := self._rows(query, *parameters, after, PAGE_ROWS):
            yield from page
            after = page[-1][key]

    def _value(self, query: str, *parameters: Any) -> Any:
        """Return the first column of the only row of `query`."""
        (row,) = self._rows(query, *parameters)
        return row[0]

    def _the_row(self, what: str, number: int, query: str) -> sqlite3.Row:
        found = self._rows(query, number)
        if not found:
            raise StoreError(f"This run has no {what} {number}. `evo status` shows what it has.")
        return found[0]
