"""Between rows of the store and records: columns in, frozen records out."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from evo.store.records import (
    AttemptRecord,
    EvaluationRecord,
    EvaluationState,
    Event,
    IndividualRecord,
    Outcome,
    ProposalRecord,
    ProposalState,
    Purpose,
)
from operators.proposal import Exchange
from trainer.evaluation import Evaluation, Split, Status

_PARENTS = """
    (SELECT group_concat(parent) FROM
        (SELECT parent FROM proposal_parents WHERE proposal = p.number ORDER BY position)) AS parents
"""

PROPOSALS = f"""
    SELECT p.number, p.operator, p.told, p.state, p.kind, p.reason, i.idea, p.created_at, p.closed_at,
           p.newest_evaluation, {_PARENTS}
    FROM proposals AS p LEFT JOIN individuals AS i ON i.id = p.number
"""  # noqa: S608 - composed of constants only

INDIVIDUALS = f"""
    SELECT i.id, p.operator, i.idea, i.genome, i.created_at, {_PARENTS}
    FROM individuals AS i JOIN proposals AS p ON p.number = i.id
"""  # noqa: S608 - composed of constants only

EVALUATIONS = """
    SELECT e.id, e.individual, e.seed, e.splits, e.purpose, e.state, e.attempt, e.device, e.told, e.share,
           e.created_at, e.launched_at, e.finished_at, r.body
    FROM evaluations AS e LEFT JOIN results AS r ON r.evaluation = e.id
"""

OUTCOMES = """
    SELECT told, id, individual, purpose, seed, attempt, device, status, objectives, split_bpb, finished_at, share
    FROM evaluations
"""


def dumps(value: Mapping[str, Any]) -> str:
    """Return compact ASCII JSON: a lone surrogate in a reply becomes an escape instead of an encoding error."""
    return json.dumps(value, separators=(",", ":"))


def encodable(text: str) -> str:
    """Return `text` with lone surrogates replaced, which UTF-8 cannot express."""
    return text.encode("utf-8", "replace").decode("utf-8")


def sha256(text: str) -> str:
    """Return the hexadecimal SHA-256 of `text` in UTF-8; raise UnicodeEncodeError for lone surrogates."""
    return hashlib.sha256(text.encode()).hexdigest()


def joined(splits: tuple[Split, ...]) -> str:
    """Return the form in which `splits` stand in a column."""
    return ",".join(splits)


def proposal(row: sqlite3.Row) -> ProposalRecord:
    """Return the record of a row of `PROPOSALS`."""
    return ProposalRecord(
        number=row["number"],
        operator=row["operator"],
        parents=_parents(row["parents"]),
        result_number=row["told"],
        state=ProposalState(row["state"]),
        kind=row["kind"],
        reason=row["reason"],
        idea=row["idea"],
        created_at=row["created_at"],
        closed_at=row["closed_at"],
        newest_evaluation=row["newest_evaluation"],
    )


def individual(row: sqlite3.Row) -> IndividualRecord:
    """Return the record of a row of `INDIVIDUALS`."""
    return IndividualRecord(
        id=row["id"],
        operator=row["operator"],
        parents=_parents(row["parents"]),
        idea=row["idea"],
        genome_sha256=row["genome"],
        created_at=row["created_at"],
    )


def evaluation(row: sqlite3.Row) -> EvaluationRecord:
    """Return the record of a row of `EVALUATIONS`."""
    return EvaluationRecord(
        id=row["id"],
        individual=row["individual"],
        seed=row["seed"],
        splits=tuple(Split(split) for split in row["splits"].split(",")),
        purpose=Purpose(row["purpose"]),
        budget_fraction=row["share"],
        state=EvaluationState(row["state"]),
        attempt=row["attempt"],
        device=row["device"],
        result_number=row["told"],
        created_at=row["created_at"],
        launched_at=row["launched_at"],
        finished_at=row["finished_at"],
        result=None if row["body"] is None else Evaluation.from_json(json.loads(row["body"])),
    )


def outcome(row: sqlite3.Row) -> Outcome:
    """Return the record of a row of `OUTCOMES`."""
    return Outcome(
        evaluation=row["id"],
        individual=row["individual"],
        result_number=row["told"],
        purpose=Purpose(row["purpose"]),
        seed=row["seed"],
        attempt=row["attempt"],
        device=row["device"],
        status=Status(row["status"]),
        objectives=json.loads(row["objectives"]),
        split_bpb=json.loads(row["split_bpb"]),
        finished_at=row["finished_at"],
        budget_fraction=row["share"],
    )


def attempt(row: sqlite3.Row) -> AttemptRecord:
    """Return the record of a row of the table `attempts`."""
    return AttemptRecord(**row)


def event(row: sqlite3.Row) -> Event:
    """Return the record of a row of the table `events`."""
    return Event(id=row["id"], kind=row["kind"], payload=json.loads(row["payload"]), at=row["at"])


def exchange(row: sqlite3.Row) -> Exchange:
    """Return the answered exchange in a row of the table `exchanges`."""
    return Exchange(
        request=json.loads(row["request"]),
        reply=json.loads(row["reply"]),
        model=row["model"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        cache_read_tokens=row["cache_read_tokens"],
        cache_write_tokens=row["cache_write_tokens"],
        cost_usd=row["cost_usd"],
        latency_seconds=row["latency_seconds"],
    )


def _parents(column: str | None) -> tuple[int, ...]:
    return tuple(int(parent) for parent in column.split(",")) if column else ()
