"""From rows of the store to records. The queries name their columns as the records name their fields."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from evo.store.records import (
    EvaluationRecord,
    EvaluationState,
    Event,
    IndividualRecord,
    Outcome,
    ProposalRecord,
    ProposalState,
    Purpose,
    SmokeRun,
)
from operators.proposal import Exchange
from trainer.evaluation import Evaluation, Split, Status

_PARENTS = """
    (SELECT group_concat(parent) FROM
        (SELECT parent FROM proposal_parents WHERE proposal = p.number ORDER BY position)) AS parents
"""

PROPOSALS = f"""
    SELECT p.number, p.operator, p.told AS result_number, p.state, p.kind, p.reason, i.idea, p.created_at, p.closed_at,
           p.newest_evaluation, {_PARENTS}
    FROM proposals AS p LEFT JOIN individuals AS i ON i.id = p.number
"""  # noqa: S608 - composed of constants only

INDIVIDUALS = f"""
    SELECT i.id, p.operator, i.idea, i.genome AS genome_sha256, i.created_at, {_PARENTS}
    FROM individuals AS i JOIN proposals AS p ON p.number = i.id
"""  # noqa: S608 - composed of constants only

EVALUATIONS = """
    SELECT e.id, e.individual, e.seed, e.splits, e.purpose, e.state, e.attempt, e.device, e.told AS result_number,
           e.share AS budget_fraction, e.created_at, e.launched_at, e.finished_at, r.body AS result, e.device_class
    FROM evaluations AS e LEFT JOIN results AS r ON r.evaluation = e.id
"""

OUTCOMES = """
    SELECT told AS result_number, id AS evaluation, individual, purpose, seed, attempt, device, status, objectives,
           split_bpb, finished_at, share AS budget_fraction, worker_seconds, device_class
    FROM evaluations
"""

EXCHANGES = """
    SELECT request, reply, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd,
           latency_seconds
    FROM exchanges
"""


def dumps(value: Mapping[str, Any]) -> str:
    """Return compact ASCII JSON: a lone surrogate in a reply becomes an escape instead of an encoding error."""
    return json.dumps(value, separators=(",", ":"))


def encodable(text: str) -> str:
    """Return `text` with lone surrogates replaced, which UTF-8 cannot express."""
    return text.encode("utf-8", "replace").decode("utf-8")


def proposal(row: sqlite3.Row) -> ProposalRecord:
    """Return the record of a row of `PROPOSALS`."""
    return ProposalRecord(**{**row, "parents": _parents(row), "state": ProposalState(row["state"])})


def individual(row: sqlite3.Row) -> IndividualRecord:
    """Return the record of a row of `INDIVIDUALS`."""
    return IndividualRecord(**{**row, "parents": _parents(row)})


def evaluation(row: sqlite3.Row) -> EvaluationRecord:
    """Return the record of a row of `EVALUATIONS`."""
    converted = {
        "splits": tuple(map(Split, row["splits"].split(","))),
        "purpose": Purpose(row["purpose"]),
        "state": EvaluationState(row["state"]),
        "result": None if row["result"] is None else Evaluation.from_json(json.loads(row["result"])),
    }
    return EvaluationRecord(**{**row, **converted})


def outcome(row: sqlite3.Row) -> Outcome:
    """Return the record of a row of `OUTCOMES`."""
    converted = {
        "purpose": Purpose(row["purpose"]),
        "status": Status(row["status"]),
        "objectives": json.loads(row["objectives"]),
        "split_bpb": json.loads(row["split_bpb"]),
    }
    return Outcome(**{**row, **converted})


def event(row: sqlite3.Row) -> Event:
    """Return the record of a row of the table `events`."""
    return Event(**{**row, "payload": json.loads(row["payload"])})


def exchange(row: sqlite3.Row) -> Exchange:
    """Return the answered exchange in a row of `EXCHANGES`."""
    return Exchange(**{**row, "request": json.loads(row["request"]), "reply": json.loads(row["reply"])})


def smoke_run(row: sqlite3.Row) -> SmokeRun:
    """Return the record of a row of the smoke runs."""
    return SmokeRun(**{**row, "status": Status(row["status"])})


def _parents(row: sqlite3.Row) -> tuple[int, ...]:
    return tuple(map(int, row["parents"].split(","))) if row["parents"] else ()
