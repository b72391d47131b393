"""The stored exchanges with a language model: of one proposal, or about lessons (`operators.proposal.Journal`)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evo.errors import StoreError
from evo.store import connection, rows
from evo.store.records import ABANDONED_CALL, LESSONS_ANSWERED, LESSONS_ASKED, STOOD_IN
from operators.proposal import Exchange

_MEASURED = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cost_usd",
    "latency_seconds",
)

_TOTALS = ("calls", "unpriced_calls", *_MEASURED)

_ADD_SPENDING = f"""
    INSERT INTO spending (model, {", ".join(_TOTALS)}) VALUES (:model, 1, :cost_usd IS NULL,
        {", ".join(f"ifnull(:{name}, 0.0)" if name == "cost_usd" else f":{name}" for name in _MEASURED)})
    ON CONFLICT (model) DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name in _TOTALS)}
"""  # noqa: S608 - composed of constants only

_ANSWER = f"""
    UPDATE exchanges SET request = :request, reply = :reply, replied_at = :now, model = :model,
                         {", ".join(f"{name} = :{name}" for name in _MEASURED)},
                         newest_evaluation = (SELECT coalesce(max(id), 0) FROM evaluations)
    WHERE proposal = :proposal AND turn = :turn AND replied_at IS NULL
"""  # noqa: S608 - composed of constants only

_ASK = """
    INSERT INTO exchanges (proposal, turn, requested_at, request) VALUES (?, ?, ?, ?)
    ON CONFLICT (proposal, turn) DO UPDATE SET requested_at = excluded.requested_at, request = excluded.request
    WHERE replied_at IS NULL
"""


class _EventJournal:
    """What every journal records as events: calls that brought no reply, and models that stood in for others."""

    def __init__(self, path: Path, database: sqlite3.Connection, number: int) -> None:
        self._path = path
        self._database = database
        self._number = number

    def record_abandoned(self, turn: int, exchange: Exchange) -> None:
        """Store what a call cost that brought no reply."""
        self._record_event(ABANDONED_CALL, turn, _usage(exchange))

    def record_stand_in(self, turn: int, model: str, stand_in: str, reason: str) -> None:
        """Store that another model is asked in a turn."""
        self._record_event(STOOD_IN, turn, {"model": model, "stand_in": stand_in, "reason": reason})

    def _record_event(self, kind: str, turn: int, payload: Mapping[str, Any]) -> None:
        row = (kind, rows.dumps({**self._owner(), "turn": turn, **payload}), time.time())
        with connection.store_errors(self._path), connection.transaction(self._database):
            self._database.execute("INSERT INTO events (kind, payload, at) VALUES (?, ?, ?)", row)

    def _owner(self) -> dict[str, Any]:
        """Return what the calls of the journal belong to."""
        return {"proposal": self._number}


class StoredJournal(_EventJournal):
    """Journal over the table `exchanges`: a request is stored before it is sent, a reply before it is used.

    An unanswered request may be replaced, since an operator may repeat it after a kill; a reply is final.
    """

    def request(self, turn: int) -> Mapping[str, Any] | None:
        """Return the request of `turn`, or None."""
        row = self._row(turn)
        return json.loads(row["request"]) if row else None

    def exchange(self, turn: int) -> Exchange | None:
        """Return the answered exchange of `turn`, or None."""
        row = self._row(turn)
        return rows.exchange(row) if row and row["reply"] is not None else None

    def record_request(self, turn: int, request: Mapping[str, Any]) -> None:
        """Store a request durably before it is sent; raise StoreError when `turn` is answered already."""
        with connection.store_errors(self._path), connection.transaction(self._database):
            parameters = (self._number, turn, time.time(), rows.dumps(request))
            self._expect_change(self._database.execute(_ASK, parameters), turn)

    def record_exchange(self, turn: int, exchange: Exchange) -> None:
        """Store a reply durably before it is used; raise StoreError unless `turn` has an unanswered request."""
        texts = {"request": rows.dumps(exchange.request), "reply": rows.dumps(exchange.reply)}
        usage, place = _usage(exchange), {"proposal": self._number, "turn": turn, "now": time.time()}
        with connection.store_errors(self._path), connection.transaction(self._database):
            self._expect_change(self._database.execute(_ANSWER, {**texts, **usage, **place}), turn)
            self._database.execute(_ADD_SPENDING, usage)

    def _row(self, turn: int) -> sqlite3.Row | None:
        with connection.store_errors(self._path):
            query = f"{rows.EXCHANGES} WHERE proposal = ? AND turn = ?"
            row: sqlite3.Row | None = self._database.execute(query, (self._number, turn)).fetchone()
            return row

    def _expect_change(self, cursor: sqlite3.Cursor, turn: int) -> None:
        if cursor.rowcount != 1:
            raise StoreError(
                f"Turn {turn} of proposal {self._number} was expected to have a request that waits for its reply, "
                f"but it has none. Record the request first, and read an answered turn with `exchange`."
            )


class LessonsJournal(_EventJournal):
    """Journal over events, of the call for the lessons of the results up to one; it belongs to no proposal."""

    def request(self, turn: int) -> Mapping[str, Any] | None:
        """Return the request of `turn`, or None."""
        asked = self._newest(LESSONS_ASKED, turn)
        return asked["request"] if asked else None

    def exchange(self, turn: int) -> Exchange | None:
        """Return the answered exchange of `turn`, or None."""
        answered, request = self._newest(LESSONS_ANSWERED, turn), self.request(turn)
        if answered is None or request is None:
            return None
        measured = {name: answered[name] for name in ("model", *_MEASURED)}
        return Exchange(request={**request, "model": answered["asked"]}, reply=answered["reply"], **measured)

    def record_request(self, turn: int, request: Mapping[str, Any]) -> None:
        """Store a request durably before it is sent."""
        self._record_event(LESSONS_ASKED, turn, {"request": request})

    def record_exchange(self, turn: int, exchange: Exchange) -> None:
        """Store a reply durably before it is used."""
        reply = {"asked": exchange.request["model"], "reply": exchange.reply}
        self._record_event(LESSONS_ANSWERED, turn, {**_usage(exchange), **reply})

    def _owner(self) -> dict[str, Any]:
        return {"proposal": None, "lessons": self._number}

    def _newest(self, kind: str, turn: int) -> Mapping[str, Any] | None:
        query = """
            SELECT payload FROM events WHERE kind = ? AND json_extract(payload, '$.lessons') = ?
            AND json_extract(payload, '$.turn') = ? ORDER BY id DESC LIMIT 1
        """
        with connection.store_errors(self._path):
            row = self._database.execute(query, (kind, self._number, turn)).fetchone()
        return json.loads(row["payload"]) if row else None


def _usage(exchange: Exchange) -> dict[str, Any]:
    """Return which model answered, and what that took."""
    return {name: getattr(exchange, name) for name in ("model", *_MEASURED)}
