"""The store of a run: a SQLite file that is the authority on everything that happened.

schema       the tables, as numbered migrations; a new column or table is a migration appended there
records      what the store returns: a dataclass for each kind of row
rows         from rows to records
view         `StoreView`: everything that can be read
store        `Store`: the one writer
journal      the exchanges with language models
audit        the invariants, as queries that return what breaks them
connection   how the file is opened, recognised and written
"""

from evo.store.records import (
    MEASURED_AGAIN,
    STOOD_IN,
    UNAVAILABLE,
    AttemptRecord,
    EvaluationRecord,
    EvaluationRequest,
    EvaluationState,
    Event,
    IndividualRecord,
    OperatorTotals,
    Outcome,
    Payment,
    ProposalRecord,
    ProposalState,
    Purpose,
    SlotUse,
    SmokeRun,
    Spending,
    Work,
    mean_objectives,
    published,
)
from evo.store.store import Store
from evo.store.view import StoreView

__all__ = [
    "MEASURED_AGAIN",
    "STOOD_IN",
    "UNAVAILABLE",
    "AttemptRecord",
    "EvaluationRecord",
    "EvaluationRequest",
    "EvaluationState",
    "Event",
    "IndividualRecord",
    "OperatorTotals",
    "Outcome",
    "Payment",
    "ProposalRecord",
    "ProposalState",
    "Purpose",
    "SlotUse",
    "SmokeRun",
    "Spending",
    "Store",
    "StoreView",
    "Work",
    "mean_objectives",
    "published",
]
