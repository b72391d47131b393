"""`results.tsv`: one line an evaluation, in the columns of karpathy/autoresearch."""

from __future__ import annotations

import csv
from io import StringIO
from itertools import groupby

from evo.errors import ReportError, unwritten
from evo.files import replace_file
from evo.lineage import Lineage
from evo.runs.folder import RunFolder
from evo.standings.standings import Standings
from evo.store import Outcome, Purpose, StoreView
from trainer.evaluation import Status
from trainer.objectives import Objective

_COMMIT_LENGTH = 7
_MIB_PER_GB = 1024


def columns(objective: Objective) -> tuple[str, ...]:
    """Return the names of the columns: autoresearch's, where the metric is `val_bpb`."""
    return ("commit", objective.name, "memory_gb", "status", "description")


def write_results_table(folder: RunFolder, store: StoreView, lineage: Lineage, standings: Standings) -> None:
    """Replace the run's table atomically.

    autoresearch writes 0.000000 for a crash, which reads as the best possible loss; here its numbers stay empty. A
    result is kept when it made its individual the best, holdout included.

    Raises:
        ReportError: the disk refused.
    """
    try:
        replace_file(folder.results, _table(store, lineage, standings))
    except OSError as error:
        raise ReportError(unwritten(folder.results, error)) from error


def _table(store: StoreView, lineage: Lineage, standings: Standings) -> str:
    objective = standings.objectives[0]
    text = StringIO()
    table = csv.writer(
        text, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None, escapechar="\\"
    )
    table.writerow(columns(objective))
    best_since = _best_since(standings)
    for outcome in store.outcomes():
        kept = best_since.get(outcome.result_number) == outcome.individual
        idea = " ".join(store.individual(outcome.individual).idea.split())
        commit = lineage.commit_of(outcome.individual)[:_COMMIT_LENGTH]
        tried = "" if outcome.budget_fraction == 1 else f" (tried with {outcome.budget_fraction:g} of the budget)"
        if outcome.purpose is Purpose.CALIBRATION:
            tried = f" (on {outcome.device_class})"
        table.writerow([commit, *_numbers(outcome, objective), _status(outcome, kept=kept), idea + tried])
    return text.getvalue()


def _best_since(standings: Standings) -> dict[int, int]:
    """Return the individuals that became the best one, by the number of the result that made them."""
    by_individual = groupby(standings.leads, lambda lead: lead.individual)
    return {next(leads).result_number: individual for individual, leads in by_individual}


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
