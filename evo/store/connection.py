"""How a store's file is opened, recognised and written: one writer, everything durable on return.

Readers open the file read-only. For a finished run they need the file alone; for a live or killed one they need the log
beside it as well (see `_connected`).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from evo.errors import NewerStore, StoreError, UnfinishedStore
from evo.store.schema import APPLICATION_ID, GUARDS, MIGRATIONS, VERSION

BUSY_SECONDS = 30.0
"""How long a statement waits for another process's short transaction."""

_ADVICE = {
    sqlite3.SQLITE_FULL: "Free some disk space. Then `evo resume` continues a run that had begun; where it was still "
    "being made, start it again with `evo run`.",
    sqlite3.SQLITE_BUSY: "Another process keeps the store locked; close it and try again.",
    sqlite3.SQLITE_READONLY: "Make the run folder writable for this user.",
    sqlite3.SQLITE_CANTOPEN: "Check that the run folder exists, is writable, and that `ulimit -n` allows more files.",
    sqlite3.SQLITE_IOERR: "The disk failed, or `ulimit -f` allows too small a file: raise that, or copy the run folder "
    "to a healthy disk and run `evo check` there.",
    sqlite3.SQLITE_CORRUPT: "The file is damaged or truncated; restore it from a copy.",
    sqlite3.SQLITE_CONSTRAINT: "The write contradicts what the store holds; nothing was written. Please report this.",
    sqlite3.SQLITE_NOTADB: "The file is not a store of a run; check the path, or restore it from a copy.",
}


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite raises inside the block into a StoreError that says what to do."""
    try:
        yield
    except sqlite3.ProgrammingError:
        # A closed store or a wrong thread: a programming error, which a user cannot fix.
        raise
    except sqlite3.Error as error:
        # The low byte is the primary result code; the rest refines it.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        advice = _ADVICE.get(code, "Run `evo check` on the run folder.")
        raise StoreError(f"The store {path} could not be used: {error}. {advice}") from error


def create(path: Path) -> sqlite3.Connection:
    """Make a new store and return a connection for writing.

    Raises:
        StoreError: something exists at `path`, or the disk refused.
    """
    try:
        path.touch(exist_ok=False)
    except OSError as error:
        raise StoreError(
            f"A new store could not be made at {path}: {error}. Choose a new or writable folder."
        ) from error
    with _connected(path) as connection, transaction(connection):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _migrate(connection, version=0)
        _guard(connection)
    return connection


def create_in_memory() -> sqlite3.Connection:
    """Make a store in memory, for simulations, and return its connection."""
    with _connected(Path("memory"), "memory") as connection, transaction(connection):
        _migrate(connection, version=0)
    return connection


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open an existing store, bring its schema up to date and return a connection for writing.

    Raises:
        StoreError: the file is missing, empty, foreign or damaged.
        NewerStore: a newer version has written it.
    """
    with _connected(path) as connection:
        version = _version(connection, path)
        with transaction(connection):
            if version < VERSION:
                _migrate(connection, version)
            _guard(connection)
    return connection


def open_for_reading(path: Path, *, any_version: bool = False) -> sqlite3.Connection:
    """Open an existing store for reading, of a live, killed or finished run, on read-only media too.

    One that an older version has written is read as it is at this moment, from a copy in memory with today's schema.

    Args:
        any_version: as the file has it, to read what every version has.

    Raises:
        StoreError: as in `open_for_writing`.
    """
    with store_errors(path):
        mode = _reading_mode(path)
    with _connected(path, mode) as connection:
        version = _version(connection, path)
    return connection if version == VERSION or any_version else _migrated_copy(connection, version)


def _migrated_copy(connection: sqlite3.Connection, version: int) -> sqlite3.Connection:
    with closing(connection), _connected(Path("memory"), "memory") as copy:
        connection.backup(copy)
        with transaction(copy):
            _migrate(copy, version)
    return copy


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Make the block one transaction, durable when it ends; inside another such block, join its transaction."""
    inside_another = connection.in_transaction  # a name of its own: mypy takes the property for constant
    if inside_another:
        yield
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite rolls some failures back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _connected(path: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    """Connect; the connection stays open when the block succeeds and is closed when it fails.

    A write-ahead log costs one synchronisation a commit where a rollback journal costs up to five. SQLite before 3.51.3
    can damage a log that two connections write or checkpoint at the same instant; here only the one writer does either,
    since readers open the file read-only.

    A copy of the files may hold a last transaction that was not acknowledged: it is in the log, but the index that open
    readers share does not have it yet when its writer is killed. With such a reader still open, the next writer begins
    there and another transaction takes its place.
    """
    with store_errors(path):
        connection = sqlite3.connect(_uri(path, mode), uri=True, isolation_level=None, timeout=BUSY_SECONDS)
        try:
            connection.row_factory = sqlite3.Row
            if mode == "rw":
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
                connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection
        except BaseException:
            connection.close()
            raise


def _reading_mode(path: Path) -> str:
    """Return the URI parameters with which a store can be read here.

    Readers of a write-ahead log share memory in a file beside it, which they must be able to create. Where they cannot,
    a store with an empty log is complete without it and can be opened as immutable.

    Raises:
        StoreError: the log is not empty, and the folder is read-only.
    """
    with closing(sqlite3.connect(_uri(path, "ro"), uri=True, timeout=BUSY_SECONDS)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
                raise
        else:
            return "ro"
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise StoreError(
            f"The store {path} was left by a driver that was killed: its newest rows are in {log.name}, which can be "
            "read only in a writable folder. Make the folder writable, or copy it whole to one that is."
        )
    return "ro&immutable=1"


def _uri(path: Path, mode: str) -> str:
    """Return what opens a store; raise StoreError where SQLite would wait for a pipe, or read a device."""
    for one in (path, *(path.with_name(f"{path.name}-{kind}") for kind in ("wal", "shm", "journal"))):
        if mode != "memory" and one.exists() and not one.is_file():
            raise StoreError(f"{one} was expected to be a file. Remove it, or restore it from a copy.")
    return f"{path.absolute().as_uri()}?mode={mode}"


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of a store's schema, from 1; raise StoreError for a file that is not a store."""
    tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    application_id: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if not tables:
        raise UnfinishedStore(
            f"{path} is empty: its creation was interrupted before anything ran. Start the run again."
        )
    if application_id != APPLICATION_ID:
        raise StoreError(f"{path} is a SQLite database, but not the store of a run. Check the path.")
    if version > VERSION:
        raise NewerStore(
            f"{path} was written by a newer version: its schema is {version}, but this version knows up to {VERSION}. "
            f"Upgrade with `pip install --upgrade evo-train`."
        )
    return version


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for migration in MIGRATIONS[version:]:
        for statement in migration.statements:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO migrations (number, name, applied_at) VALUES (?, ?, ?)",
            (migration.number, migration.name, time.time()),
        )
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _guard(connection: sqlite3.Connection) -> None:
    for guard in GUARDS:
        connection.execute(guard)
