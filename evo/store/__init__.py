"""The store of a run: a SQLite file that is the authority on everything that happened."""

from evo.store.records import (
    MEASURED_AGAIN,
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
    Spending,
    Work,
    mean_objectives,
    published,
)
from evo.store.store import Store
from evo.store.view import StoreView

__all__ = [
    "MEASURED_AGAIN",
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
    "Spending",
    "Store",
    "StoreView",
    "Work",
    "mean_objectives",
    "published",
]
