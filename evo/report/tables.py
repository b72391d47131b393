"""What the charts of a run show, as tables: one row a mark of the chart."""

from __future__ import annotations

import math
from dataclasses import asdict

import pandas as pd

from evo.report.data import RunReport
from evo.standings.differences import standard_error
from evo.standings.individuals import Standing
from trainer.objectives import Objective


def progress_table(report: RunReport) -> pd.DataFrame:
    """Return every evaluation in the order of results, with the best mean of the first objective after it."""
    name = report.objective.name
    leads = {lead.result_number: lead for lead in report.leads}
    rows, best = [], None
    for one in report.evaluations:
        best = leads.get(one.number, best)
        rows.append(
            {
                "evaluation": one.number,
                "individual": one.individual,
                "operator": report.by_id[one.individual].operator,
                "seed": one.seed,
                "status": str(one.status),
                "budget_fraction": one.budget_fraction,
                name: one.objectives.get(name, math.nan),
                "best": math.nan if best is None else best.value,
                "best_individual": None if best is None else best.individual,
            }
        )
    return pd.DataFrame(rows).convert_dtypes(convert_floating=False)


def front_table(report: RunReport) -> pd.DataFrame:
    """Return every individual that has the objectives of the front: means, standard errors, and which are on it."""
    front = set(report.front)
    rows = [
        {
            "individual": one.id,
            "on_front": one.id in front,
            "is_knee": one.id == report.summary.knee,
            "is_best": one.id == report.best,
            **_measured(report, one, report.front_objectives),
        }
        for one in report.individuals
        if all(objective.name in one.objectives for objective in report.front_objectives)
    ]
    return pd.DataFrame(rows)


def tree_table(report: RunReport) -> pd.DataFrame:
    """Return every individual with its parents, separated by spaces, and its mean of the first objective."""
    line = {step.individual for step in report.best_line}
    rows = [
        {
            "individual": one.id,
            "parents": " ".join(map(str, one.parents)),
            "operator": one.operator,
            "status": "waiting" if one.status is None else str(one.status),
            "in_line_of_best": one.id in line,
            **_measured(report, one, report.objectives[:1]),
        }
        for one in report.individuals
    ]
    return pd.DataFrame(rows)


def operators_table(report: RunReport) -> pd.DataFrame:
    """Return what became of the proposals of each operator (`evo.standings.individuals.OperatorResults`)."""
    return pd.DataFrame([asdict(one) for one in report.operators])


def _measured(report: RunReport, one: Standing, objectives: tuple[Objective, ...]) -> dict[str, float]:
    """Return replicates, means and their standard errors; NaN is unknown."""
    columns: dict[str, float] = {"evaluations": one.replicates}
    for name in (objective.name for objective in objectives):
        error = standard_error(report.summary.noise.get(name), one.replicates)
        columns[name] = one.objectives.get(name, math.nan)
        columns[f"{name}_standard_error"] = math.nan if error is None else error
    return columns
