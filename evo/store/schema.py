"""The tables of a run's store, as numbered and named migrations.

A store carries `APPLICATION_ID` in its header, so that a foreign database is recognised, and the number of its newest
migration as `user_version`, so that a store of a newer version is refused instead of misread. Migrations are only ever
appended; each runs in one transaction together with the change of `user_version`.

Bulky texts (sources, prompts, replies, complete results) stand in tables or columns that the hot queries never touch,
so that the cost of a candidate does not grow with the run.
"""

from dataclasses import dataclass

APPLICATION_ID = 0x65766F31
"""The ASCII letters `evo1`, in the header of every store."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: `statements` bring a store from `number` - 1 to `number`."""

    number: int
    name: str
    statements: tuple[str, ...]


_RUN_TABLES = (
    """
    CREATE TABLE migrations (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        applied_at REAL NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE proposals (
        number INTEGER PRIMARY KEY,
        operator TEXT NOT NULL,
        told INTEGER NOT NULL,      -- results that the population had seen when the proposal began
        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'admitted', 'refused')),
        kind TEXT,                  -- why it was refused, in one word
        reason TEXT,
        created_at REAL NOT NULL,   -- all times: seconds since 1970, UTC
        closed_at REAL,
        CHECK ((state = 'open') = (closed_at IS NULL)),
        CHECK ((state = 'refused') = (kind IS NOT NULL))
    ) STRICT
    """,
    "CREATE INDEX proposals_open ON proposals (number) WHERE state = 'open'",
    """
    CREATE TABLE proposal_parents (
        proposal INTEGER NOT NULL REFERENCES proposals (number),
        position INTEGER NOT NULL,
        parent INTEGER NOT NULL REFERENCES individuals (id),
        PRIMARY KEY (proposal, position)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX proposal_parents_children ON proposal_parents (parent, proposal)",
    """
    CREATE TABLE exchanges (
        proposal INTEGER NOT NULL REFERENCES proposals (number),
        turn INTEGER NOT NULL,
        requested_at REAL NOT NULL,
        replied_at REAL,
        model TEXT,
        input_tokens INTEGER,
        output_tokens INTEGER,
        cache_read_tokens INTEGER,
        cache_write_tokens INTEGER,
        cost_usd REAL,              -- NULL where the model's price is unknown
        latency_seconds REAL,
        request TEXT NOT NULL,      -- JSON, without credentials
        reply TEXT,                 -- JSON
        PRIMARY KEY (proposal, turn),
        CHECK ((replied_at IS NULL) = (reply IS NULL)),
        CHECK ((replied_at IS NULL) = (model IS NULL))
    ) STRICT
    """,
    "CREATE INDEX exchanges_unanswered ON exchanges (proposal) WHERE replied_at IS NULL",
    """
    CREATE TABLE spending (         -- running totals of the answered exchanges, kept in their transactions
        model TEXT PRIMARY KEY,
        calls INTEGER NOT NULL,
        unpriced_calls INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cache_read_tokens INTEGER NOT NULL,
        cache_write_tokens INTEGER NOT NULL,
        cost_usd REAL NOT NULL,
        latency_seconds REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE genomes (
        sha256 TEXT PRIMARY KEY,
        source TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE individuals (
        id INTEGER PRIMARY KEY REFERENCES proposals (number),
        genome TEXT NOT NULL REFERENCES genomes (sha256),
        normal_form TEXT NOT NULL UNIQUE,   -- sha256 of the code without layout and comments
        idea TEXT NOT NULL,
        created_at REAL NOT NULL            -- also the date of its commit
    ) STRICT
    """,
    """
    CREATE TABLE evaluations (
        id INTEGER PRIMARY KEY,
        individual INTEGER NOT NULL REFERENCES individuals (id),
        seed INTEGER NOT NULL,
        splits TEXT NOT NULL,       -- comma-separated
        purpose TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done')),
        attempt INTEGER NOT NULL DEFAULT 0,
        device TEXT,
        told INTEGER UNIQUE,        -- 1, 2, 3 … in the order of acceptance
        status TEXT,
        objectives TEXT,            -- JSON
        split_bpb TEXT,             -- JSON
        train_seconds REAL,
        worker_seconds REAL,
        created_at REAL NOT NULL,
        launched_at REAL,
        finished_at REAL,
        CHECK ((state = 'done') = (told IS NOT NULL)),
        CHECK ((state = 'done') = (status IS NOT NULL))
    ) STRICT
    """,
    "CREATE INDEX evaluations_of_individual ON evaluations (individual, id)",
    "CREATE INDEX evaluations_pending ON evaluations (state, id) WHERE told IS NULL",
    """
    CREATE TABLE results (          -- the complete verdicts, apart from the small columns above
        evaluation INTEGER PRIMARY KEY REFERENCES evaluations (id),
        body TEXT NOT NULL          -- JSON
    ) STRICT
    """,
    """
    CREATE TABLE attempts (
        evaluation INTEGER NOT NULL REFERENCES evaluations (id),
        number INTEGER NOT NULL,
        device TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'accepted', 'released')),
        reason TEXT,
        launched_at REAL NOT NULL,
        ended_at REAL,
        PRIMARY KEY (evaluation, number)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,      -- JSON
        at REAL NOT NULL
    ) STRICT
    """,
    "CREATE INDEX events_of_kind ON events (kind, id)",
)

_NEWEST_EVALUATION = (
    # Individuals whose evaluations are newer were not there yet when the proposal began, or when the reply came.
    "ALTER TABLE proposals ADD COLUMN newest_evaluation INTEGER",
    "ALTER TABLE exchanges ADD COLUMN newest_evaluation INTEGER",
)

_SHARE = (
    # Of the budget of an evaluation: below 1.0 on a rung (`evo.standings.rungs`).
    "ALTER TABLE evaluations ADD COLUMN share REAL NOT NULL DEFAULT 1.0",
)

_DEVICE_CLASS = (
    # What its device is comparable with; of a calibration from its request on, of the others from their launch on.
    "ALTER TABLE evaluations ADD COLUMN device_class TEXT",
)

_SMOKE_RUNS = (
    """
    CREATE TABLE smoke_runs (
        proposal INTEGER NOT NULL REFERENCES proposals (number),
        genome TEXT NOT NULL,       -- sha256 of the source, which is nowhere else where it was refused
        status TEXT NOT NULL,
        reason TEXT NOT NULL,
        output TEXT NOT NULL,       -- the end of what it printed
        device TEXT NOT NULL,
        seconds REAL NOT NULL,      -- of a worker
        at REAL NOT NULL,
        PRIMARY KEY (genome, proposal)
    ) STRICT
    """,
)

_REFUSED_PROGRAMS = (
    """
    CREATE TABLE refused_programs (     -- the last program that a proposal came to, where it gave no individual
        proposal INTEGER PRIMARY KEY REFERENCES proposals (number),
        genome TEXT NOT NULL REFERENCES genomes (sha256)
    ) STRICT
    """,
)

MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "the tables of a run", _RUN_TABLES),
    Migration(2, "which individuals a proposal knew", _NEWEST_EVALUATION),
    Migration(3, "the share of the budget that an evaluation trains with", _SHARE),
    Migration(4, "the class of the device that an evaluation ran on", _DEVICE_CLASS),
    Migration(5, "smoke runs", _SMOKE_RUNS),
    Migration(6, "what the curve of a result follows, which no older version can read", ()),
    Migration(7, "where the time of a training went, likewise", ()),
    Migration(8, "the programs that were refused", _REFUSED_PROGRAMS),
)

_FINAL = {
    # When the rows of a table are final; what is final is neither changed nor deleted.
    "migrations": "TRUE",
    "proposals": "OLD.state <> 'open'",
    "proposal_parents": "TRUE",
    "exchanges": "OLD.replied_at IS NOT NULL",
    "genomes": "TRUE",
    "individuals": "TRUE",
    "evaluations": "OLD.state = 'done'",
    "results": "TRUE",
    "attempts": "OLD.state <> 'running'",
    "smoke_runs": "TRUE",
    "refused_programs": "TRUE",
    "events": "TRUE",
}

GUARDS = tuple(
    f"""
    CREATE TRIGGER IF NOT EXISTS {table}_{verb.lower()} BEFORE {verb} ON {table} WHEN {condition}
    BEGIN SELECT RAISE(ABORT, 'rows of {table} are final'); END
    """
    for table, final in _FINAL.items()
    for verb, condition in (("UPDATE", final), ("DELETE", "TRUE"))
)
"""Triggers that keep every acknowledged row as it is, whatever program opens the file for writing.

They are no migration, for they change nothing that a reader sees: a writer of any version adds them where they lack.
"""

VERSION = MIGRATIONS[-1].number
"""The `user_version` of a store that this code reads and writes."""
