"""The one writer of a run's store. Every public method that writes is one transaction, durable when it returns."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from evo.errors import StoreError
from evo.store import connection, rows
from evo.store.journal import LessonsJournal, StoredJournal
from evo.store.records import REPAIR, EvaluationRequest, Event, SmokeRun
from evo.store.view import StoreView
from evo.text import sha256
from trainer.evaluation import Evaluation

_ACCEPT = """
    UPDATE evaluations SET state = 'done', told = ?, status = ?, objectives = ?, split_bpb = ?, train_seconds = ?,
                           worker_seconds = ?, finished_at = ?
    WHERE id = ?
"""
_LARGEST_REFUSED_CHARACTERS = 256 * 1024


class Store(StoreView):
    """A store opened by its one writer; `Store.read` opens it for any number of readers.

    Proposals go open → admitted or refused; evaluations go queued → running → done, and back to queued when an attempt
    is released. Only the current attempt of a running evaluation can finish it: the late result of an abandoned attempt
    is fenced off, and an evaluation is accepted once.
    """

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a new store; raise StoreError when something exists at `path`."""
        return cls(path, connection.create(path))

    @classmethod
    def in_memory(cls) -> Self:
        """Make a store in memory, for simulations."""
        return cls(Path("memory"), connection.create_in_memory())

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a store for writing; raise StoreError when it is missing, foreign, damaged or of a newer version.

        The caller must hold the lock of the run folder.
        """
        return cls(path, connection.open_for_writing(path))

    @staticmethod
    def read(path: Path) -> StoreView:
        """Open the store of a live, killed or finished run for reading; raises as `open` does."""
        return StoreView(path, connection.open_for_reading(path))

    @staticmethod
    def newest_event(path: Path, kind: str) -> Event | None:
        """Return the newest event of a kind in a store of this or an older version; None without one."""
        with connection.store_errors(path), closing(connection.open_for_reading(path, any_version=True)) as database:
            row = database.execute("SELECT * FROM events WHERE kind = ? ORDER BY id DESC LIMIT 1", (kind,)).fetchone()
            return rows.event(row) if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Keep a text under `key`."""
        with self.transaction():
            self._database.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, rows.encodable(value)),
            )

    # Proposals

    def begin_proposal(
        self, number: int, operator: str, parents: tuple[int, ...], result_number: int, repaired: int | None = None
    ) -> None:
        """Record that an operator is about to run on `parents`, after the population has seen `result_number` results.

        Generation 0 is proposal 0 of operator `seed`, without parents. `repaired` is the individual that is to be
        mended, where the proposal makes nothing new.
        """
        with self.transaction():
            self._database.execute(
                "INSERT INTO proposals (number, operator, told, created_at, newest_evaluation) "
                "SELECT ?, ?, ?, ?, coalesce(max(id), 0) FROM evaluations",
                (number, operator, result_number, time.time()),
            )
            self._database.executemany(
                "INSERT INTO proposal_parents (proposal, position, parent) VALUES (?, ?, ?)",
                [(number, position, parent) for position, parent in enumerate(parents)],
            )
            if repaired is not None:
                self.record_event(REPAIR, {"proposal": number, "crashed": repaired})

    def journal(self, number: int) -> StoredJournal:
        """Return the journal in which an operator records the exchanges of an open proposal."""
        return StoredJournal(self.path, self._database, number)

    def lessons_journal(self, result_number: int) -> LessonsJournal:
        """Return the journal of the call for the lessons of the results up to one."""
        return LessonsJournal(self.path, self._database, result_number)

    def refuse(self, number: int, kind: str, reason: str, source: str | None = None) -> None:
        """Close an open proposal without offspring.

        Args:
            number: of the proposal.
            kind: one word, such as `duplicate`.
            reason: a sentence.
            source: what was refused. One longer than any individual may be is not kept.
        """
        with self.transaction():
            self._close_proposal(number, "refused", rows.encodable(kind), rows.encodable(reason))
            if source is not None and len(source) <= _LARGEST_REFUSED_CHARACTERS:
                text = rows.encodable(source)
                self._keep_genome(text)
                row = (number, sha256(text))
                self._database.execute("INSERT INTO refused_programs (proposal, genome) VALUES (?, ?)", row)

    def admit(
        self, number: int, *, source: str, normal_form: str, idea: str, evaluations: Sequence[EvaluationRequest]
    ) -> tuple[int, ...]:
        """Close an open proposal with a new individual, whose id is `number`, and queue its evaluations.

        No other individual may have the same `normal_form` (see `known`), and `source` must be expressible in UTF-8.
        Returns the ids of the queued evaluations, in the order of the requests.
        """
        genome = sha256(source)
        with self.transaction():
            created_at = self._close_proposal(number, "admitted")
            self._keep_genome(source)
            self._database.execute(
                "INSERT INTO individuals (id, genome, normal_form, idea, created_at) VALUES (?, ?, ?, ?, ?)",
                (number, genome, sha256(normal_form), rows.encodable(idea), created_at),
            )
            return tuple(self._queue(number, request, created_at) for request in evaluations)

    def _keep_genome(self, source: str) -> None:
        row = (sha256(source), source)
        self._database.execute("INSERT OR IGNORE INTO genomes (sha256, source) VALUES (?, ?)", row)

    def _close_proposal(self, number: int, state: str, kind: str | None = None, reason: str | None = None) -> float:
        closed_at = time.time()
        closed = self._database.execute(
            "UPDATE proposals SET state = ?, kind = ?, reason = ?, closed_at = ? WHERE number = ? AND state = 'open'",
            (state, kind, reason, closed_at, number),
        )
        if closed.rowcount != 1:
            raise StoreError(f"Proposal {number} cannot be {state}: it is not open. Begin it first; close it once.")
        return closed_at

    def record_smoke_run(self, number: int, source: str, run: SmokeRun) -> None:
        """Record what came of the smoke run of a source that a proposal has come to."""
        texts = (run.status, rows.encodable(run.reason), rows.encodable(run.output), run.device)
        with self.transaction():
            self._database.execute(
                "INSERT INTO smoke_runs (proposal, genome, status, reason, output, device, seconds, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (number, sha256(source), *texts, run.seconds, time.time()),
            )

    # Evaluations

    def enqueue(self, individual: int, request: EvaluationRequest) -> int:
        """Queue another evaluation of an individual and return its id."""
        with self.transaction():
            return self._queue(individual, request, time.time())

    def launch(self, evaluation: int, device: str, device_class: str | None = None) -> int:
        """Mark a queued evaluation as running on `device`, and return the number of this attempt, from 1."""
        now = time.time()
        with self.transaction():
            launched = self._database.execute(
                "UPDATE evaluations SET state = 'running', attempt = attempt + 1, device = ?, launched_at = ?, "
                "device_class = ? WHERE id = ? AND state = 'queued' RETURNING attempt",
                (device, now, device_class, evaluation),
            ).fetchone()
            if launched is None:
                raise StoreError(
                    f"Evaluation {evaluation} cannot be launched, since it is not queued. Take one of `queued`."
                )
            attempt: int = launched["attempt"]
            self._database.execute(
                "INSERT INTO attempts (evaluation, number, device, launched_at) VALUES (?, ?, ?, ?)",
                (evaluation, attempt, device, now),
            )
        return attempt

    def finish(self, evaluation: int, attempt: int, result: Evaluation) -> int | None:
        """Accept the result of an attempt.

        Returns:
            The result's place in the order of acceptance, from 1; None when the attempt is not the current one of a
            running evaluation. Such a result is dropped and recorded as an event.
        """
        now = time.time()
        with self.transaction():
            if not self._end_attempt(evaluation, attempt, "accepted", None, now):
                late = {"evaluation": evaluation, "attempt": attempt, "status": result.status, "device": result.device}
                self.record_event("fenced_off", late)
                return None
            result_number = self.last_result_number() + 1
            texts = (rows.dumps(result.objectives), rows.dumps(result.split_bpb))
            seconds = (result.timings.train_seconds, result.timings.total_seconds)
            self._database.execute(_ACCEPT, (result_number, result.status, *texts, *seconds, now, evaluation))
            body = rows.dumps(result.to_json())
            self._database.execute("INSERT INTO results (evaluation, body) VALUES (?, ?)", (evaluation, body))
        return result_number

    def release(self, evaluation: int, attempt: int, reason: str) -> bool:
        """Put an evaluation back into the queue because its attempt was lost or abandoned.

        Returns:
            False, with nothing changed, when the attempt is not the current one of a running evaluation.
        """
        return self._release(evaluation, attempt, reason, time.time())

    def release_all_running(self, reason: str) -> int:
        """Put every running evaluation back into the queue, as a resumed run must, and return how many there were.

        The end of their attempts is taken to be the last time that their driver wrote anything.
        """
        with self.transaction():
            period = self.period()
            running = self._database.execute(
                "SELECT id, attempt FROM evaluations WHERE told IS NULL AND state = 'running'"
            ).fetchall()
            ended_at = period[1] if period else time.time()
            return sum(self._release(row["id"], row["attempt"], reason, ended_at) for row in running)

    def _queue(self, individual: int, request: EvaluationRequest, now: float) -> int:
        queued = self._database.execute(
            "INSERT INTO evaluations (individual, seed, splits, purpose, share, created_at, device_class) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                individual,
                request.seed,
                ",".join(request.splits),
                request.purpose,
                request.budget_fraction,
                now,
                request.device_class,
            ),
        )
        assert queued.lastrowid is not None  # noqa: S101 - an INSERT of one row always has one
        return queued.lastrowid

    def _release(self, evaluation: int, attempt: int, reason: str, ended_at: float) -> bool:
        with self.transaction():
            released = self._end_attempt(evaluation, attempt, "released", rows.encodable(reason), ended_at)
            if released:
                self._database.execute("UPDATE evaluations SET state = 'queued' WHERE id = ?", (evaluation,))
        return released

    def _end_attempt(self, evaluation: int, attempt: int, state: str, reason: str | None, now: float) -> bool:
        """Close an attempt that is still running; a running attempt is always its evaluation's current one."""
        ended = self._database.execute(
            "UPDATE attempts SET state = ?, reason = ?, ended_at = ? "
            "WHERE evaluation = ? AND number = ? AND state = 'running'",
            (state, reason, now, evaluation, attempt),
        )
        return ended.rowcount == 1

    # Events

    def record_event(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Record something that no other table holds; `payload` must be JSON-serialisable."""
        with self.transaction():
            self._database.execute(
                "INSERT INTO events (kind, payload, at) VALUES (?, ?, ?)", (kind, rows.dumps(payload), time.time())
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes inside the block one transaction, durable when the block ends; it costs one commit.

        An error that a write raises must leave the block, which then has written nothing. Do not `await` inside:
        another task's writes would become part of the transaction.
        """
        with connection.store_errors(self.path), connection.transaction(self._database):
            yield
