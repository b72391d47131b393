"""From rows of the store to records. The queries name their columns as the records name their fields."""

from __future__ import annotations

import functools
import json
import math
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from evo.errors import StoreError
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

_LAST_TIME = 253_402_300_800  # seconds since 1970 at the end of the year 9999
_QUOTED_CHARACTERS = 100
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


_RecordT = TypeVar("_RecordT")


def _of_a_sound_row(convert: Callable[[sqlite3.Row], _RecordT]) -> Callable[[sqlite3.Row], _RecordT]:
    """Have a conversion raise StoreError for a row that holds what no version has written."""

    @functools.wraps(convert)
    def converted(row: sqlite3.Row) -> _RecordT:
        try:
            _refuse_impossible_times(row)
            return convert(row)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            which = next((f" {row[name]}" for name in ("id", "number", "evaluation") if name in row.keys()), "")  # noqa: SIM118 - likewise
            what = f"The store is damaged: its {convert.__name__.replace('_', ' ')}{which} cannot be read ({error})"
            raise StoreError(f"{what}. Restore it from a copy.") from error

    return converted


def _refuse_impossible_times(row: sqlite3.Row) -> None:
    for name in _times(tuple(row.keys())):
        if row[name] is not None and not 0 <= row[name] < _LAST_TIME:
            raise ValueError(f"{name} is {row[name]}")


@functools.cache
def _times(columns: tuple[str, ...]) -> list[str]:
    return [name for name in columns if name.endswith("_at")]


@_of_a_sound_row
def proposal(row: sqlite3.Row) -> ProposalRecord:
    """Return the record of a row of `PROPOSALS`."""
    return ProposalRecord(**{**row, "parents": _parents(row), "state": ProposalState(row["state"])})


@_of_a_sound_row
def individual(row: sqlite3.Row) -> IndividualRecord:
    """Return the record of a row of `INDIVIDUALS`."""
    parents = _parents(row)
    if any(parent >= row["id"] for parent in parents):
        raise ValueError(f"its parents {[*parents]} are not older individuals")
    return IndividualRecord(**{**row, "parents": parents})


@_of_a_sound_row
def evaluation(row: sqlite3.Row) -> EvaluationRecord:
    """Return the record of a row of `EVALUATIONS`."""
    converted = {
        "splits": tuple(map(Split, row["splits"].split(","))),
        "purpose": Purpose(row["purpose"]),
        "state": EvaluationState(row["state"]),
        "result": None if row["result"] is None else Evaluation.from_json(json.loads(row["result"])),
    }
    return EvaluationRecord(**{**row, **converted})


@_of_a_sound_row
def outcome(row: sqlite3.Row) -> Outcome:
    """Return the record of a row of `OUTCOMES`."""
    status, objectives = Status(row["status"]), _table(row["objectives"])
    if status is Status.OK and not (objectives and all(map(math.isfinite, objectives.values()))):
        raise ValueError(f"its objectives are {row['objectives'][:_QUOTED_CHARACTERS]}")
    converted = {
        "purpose": Purpose(row["purpose"]),
        "status": status,
        "objectives": objectives,
        "split_bpb": _table(row["split_bpb"]),
    }
    return Outcome(**{**row, **converted})


@_of_a_sound_row
def event(row: sqlite3.Row) -> Event:
    """Return the record of a row of the table `events`."""
    return Event(**{**row, "payload": _table(row["payload"])})


@_of_a_sound_row
def exchange(row: sqlite3.Row) -> Exchange:
    """Return the answered exchange in a row of `EXCHANGES`."""
    return Exchange(**{**row, "request": json.loads(row["request"]), "reply": json.loads(row["reply"])})


@_of_a_sound_row
def smoke_run(row: sqlite3.Row) -> SmokeRun:
    """Return the record of a row of the smoke runs."""
    return SmokeRun(**{**row, "status": Status(row["status"])})


def _table(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError(f"{text[:_QUOTED_CHARACTERS]} is no JSON object")
    return found


def _parents(row: sqlite3.Row) -> tuple[int, ...]:
    return tuple(map(int, row["parents"].split(","))) if row["parents"] else ()
