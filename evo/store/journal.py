"""The durable memory of one proposal's calls of a language model (`operators.proposal.Journal`)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evo.errors import StoreError
from evo.store import connection, rows
from operators.proposal import Exchange

_ADD_SPENDING = """
    INSERT INTO spending (model, calls, unpriced_calls, input_tokens, output_tokens, cache_read_tokens,
                          cache_write_tokens, cost_usd, latency_seconds)
    VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (model) DO UPDATE SET
        calls = calls + 1,
        unpriced_calls = unpriced_calls + excluded.unpriced_calls,
        input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens,
        cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,
        cost_usd = cost_usd + excluded.cost_usd,
        latency_seconds = latency_seconds + excluded.latency_seconds
"""

_ANSWER = """
    UPDATE exchanges SET request = ?, reply = ?, replied_at = ?, model = ?, input_tokens = ?, output_tokens = ?,
                         cache_read_tokens = ?, cache_write_tokens = ?, cost_usd = ?, latency_seconds = ?,
                         newest_evaluation = (SELECT coalesce(max(id), 0) FROM evaluations)
    WHERE proposal = ? AND turn = ? AND replied_at IS NULL
"""

_ASK = """
    INSERT INTO exchanges (proposal, turn, requested_at, request) VALUES (?, ?, ?, ?)
    ON CONFLICT (proposal, turn) DO UPDATE SET requested_at = excluded.requested_at, request = excluded.request
    WHERE replied_at IS NULL
"""


class StoredJournal:
    """Journal over the table `exchanges`: the request stands there before it is sent, the reply before it is used.

    An unanswered request may be replaced, since the operator may ask anew after a kill; an answer is final.
    """

    def __init__(self, path: Path, database: sqlite3.Connection, number: int) -> None:
        self._path = path
        self._database = database
        self._number = number

    def request(self, turn: int) -> Mapping[str, Any] | None:
        """Return the request journaled for `turn`, or None."""
        row = self._row(turn)
        return json.loads(row["request"]) if row else None

    def exchange(self, turn: int) -> Exchange | None:
        """Return the answered exchange journaled for `turn`, or None."""
        row = self._row(turn)
        return rows.exchange(row) if row and row["reply"] is not None else None

    def record_request(self, turn: int, request: Mapping[str, Any]) -> None:
        """Store a request durably before it is sent; raise StoreError when `turn` is answered already."""
        with connection.store_errors(self._path), connection.transaction(self._database):
            parameters = (self._number, turn, time.time(), rows.dumps(request))
            self._expect_change(self._database.execute(_ASK, parameters), turn)

    def record_exchange(self, turn: int, exchange: Exchange) -> None:
        """Store a reply durably before it is used; raise StoreError unless `turn` has an unanswered request."""
        texts = (rows.dumps(exchange.request), rows.dumps(exchange.reply))
        tokens = (
            exchange.input_tokens,
            exchange.output_tokens,
            exchange.cache_read_tokens,
            exchange.cache_write_tokens,
        )
        unpriced = exchange.cost_usd is None
        with connection.store_errors(self._path), connection.transaction(self._database):
            ends = (exchange.cost_usd, exchange.latency_seconds, self._number, turn)
            answered = self._database.execute(_ANSWER, (*texts, time.time(), exchange.model, *tokens, *ends))
            self._expect_change(answered, turn)
            totals = (exchange.model, unpriced, *tokens, exchange.cost_usd or 0.0, exchange.latency_seconds)
            self._database.execute(_ADD_SPENDING, totals)

    def _row(self, turn: int) -> sqlite3.Row | None:
        with connection.store_errors(self._path):
            query = "SELECT * FROM exchanges WHERE proposal = ? AND turn = ?"
            row: sqlite3.Row | None = self._database.execute(query, (self._number, turn)).fetchone()
            return row

    def _expect_change(self, cursor: sqlite3.Cursor, turn: int) -> None:
        if cursor.rowcount != 1:
            raise StoreError(
                f"Turn {turn} of proposal {self._number} was expected to have a request that waits for its reply, "
                f"but it has none. Record the request first, and read an answered turn with `exchange`."
            )
