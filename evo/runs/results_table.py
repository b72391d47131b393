"""`results.tsv`: one line an evaluation, in the columns of karpathy/autoresearch."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from evo.errors import ReportError
from evo.lineage import Lineage
from evo.runs.folder import RunFolder
from evo.standings.incumbent import IncumbentTracker
from evo.standings.plan import CONFIRMED_OBJECTIVE
from evo.store import Outcome, Purpose, StoreView
from trainer.evaluation import Split, Status
from trainer.objectives import Objective

_COMMIT_LENGTH = 7
_MIB_PER_GB = 1024


def columns(objective: Objective) -> tuple[str, ...]:
    """Return the names of the columns: autoresearch's, where the metric is `val_bpb`."""
    return ("commit", objective.name, "memory_gb", "status", "description")


def write_results_table(folder: RunFolder, store: StoreView, lineage: Lineage, objective: Objective) -> None:
    """Replace the run's table atomically.

    autoresearch writes 0.000000 for a crash, which reads as the best possible loss; here its numbers stay empty. What
    did not hold on the gate split is not kept.

    Args:
        folder: of the run.
        store: of the run.
        lineage: tells the commits.
        objective: the metric.

    Raises:
        ReportError: the disk refused.
    """
    draft = folder.results.with_suffix(".tsv.part")
    try:
        _write(draft, store, lineage, objective)
        os.replace(draft, folder.results)  # noqa: PTH105 - the rename that replaces on every system
    except OSError as error:
        raise ReportError(
            f"{folder.results} could not be written: {error}. The store still holds everything: make room or make the "
            "folder writable, then `evo resume` writes it."
        ) from error


def _write(path: Path, store: StoreView, lineage: Lineage, objective: Objective) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(
            file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None, escapechar="\\"
        )
        table.writerow(columns(objective))
        judge = _Judge(objective)
        for outcome in store.outcomes():
            kept = judge.keeps(outcome)
            idea = " ".join(store.individual(outcome.individual).idea.split())
            commit = lineage.commit_of(outcome.individual)[:_COMMIT_LENGTH]
            tried = "" if outcome.budget_fraction == 1 else f" (tried with {outcome.budget_fraction:g} of the budget)"
            table.writerow([commit, *_numbers(outcome, objective), _status(outcome, kept=kept), idea + tried])


class _Judge:
    """Says of one result after the other whether it is kept: whether it made its individual the best."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._best: float | None = None
        self._incumbent_tracker = IncumbentTracker()

    def keeps(self, outcome: Outcome) -> bool:
        """Take in a result."""
        value = outcome.objectives.get(self._objective.name)
        if value is None or outcome.purpose is Purpose.SCREEN:
            return False
        if self._objective.name == CONFIRMED_OBJECTIVE:
            before = self._incumbent_tracker.incumbent
            self._incumbent_tracker.tell(outcome.individual, outcome.seed, value, outcome.split_bpb.get(Split.HOLDOUT))
            if self._incumbent_tracker.incumbent is not None:
                return outcome.individual == self._incumbent_tracker.incumbent != before
        kept = self._best is None or self._objective.weight * (value - self._best) > 0
        self._best = value if kept else self._best
        return kept


def _numbers(outcome: Outcome, objective: Objective) -> tuple[str, str]:
    if outcome.status is not Status.OK:
        return "", ""
    return (
        f"{outcome.objectives[objective.name]:.6f}",
        f"{outcome.objectives.get('peak_memory_mib', 0.0) / _MIB_PER_GB:.1f}",
    )


def _status(outcome: Outcome, *, kept: bool) -> str:
    if outcome.status is not Status.OK:
        return "crash"
    return "keep" if kept else "discard"
