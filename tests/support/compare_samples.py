"""Small results of comparisons, written down run by run."""

import pandas as pd

from evo.compare.statistics.results import PROGRESS_COLUMNS, RUN_COLUMNS, Results
from trainer.objectives import Direction, Objective

LOSS = Objective("loss", Direction.MINIMIZE, "nats")
SCORE = Objective("score", Direction.MAXIMIZE, "points")


def results(runs, *, paired=True, objectives=(LOSS,), arms=None, progress=(), points=(), **changes):
    """Return results of runs given as (arm, repeat, outcome) or (arm, repeat, outcome, state).

    Args:
        progress: rows as (arm, repeat, evaluations, gpu_seconds, usd, best).
        points: rows as (arm, repeat, individual, one value an objective).
        changes: columns of all runs.
    """
    rows = [
        {
            "arm": arm,
            "repeat": repeat,
            "seed": repeat,
            "state": state[0] if state else "finished",
            "outcome": outcome,
            "generation_zero": 9.0,
            "chosen": 1,
            "evaluations": 10,
            "failures": 1,
            "gpu_seconds": 100.0,
            "usd": 0.0,
            "wall_seconds": 100.0,
            "reason": "",
        }
        | changes
        for arm, repeat, outcome, *state in runs
    ]
    names = [objective.name for objective in objectives]
    return Results(
        name="sample",
        arms=arms or tuple(dict.fromkeys(row["arm"] for row in rows)),
        repeats=1 + max((row["repeat"] for row in rows), default=-1),
        paired=paired,
        objective=objectives[0],
        objectives=objectives,
        budget="10 evaluations",
        runs=pd.DataFrame(rows, columns=[*RUN_COLUMNS]),
        progress=pd.DataFrame(list(progress), columns=[*PROGRESS_COLUMNS]),
        points=pd.DataFrame(list(points), columns=["arm", "repeat", "individual", *names]),
    )


def arms_of(**outcomes):
    """Return the runs of arms given by their outcomes, one a repeat."""
    return [(arm, repeat, value) for arm, values in outcomes.items() for repeat, value in enumerate(values)]
