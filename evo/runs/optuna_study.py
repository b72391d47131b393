"""A run as a study of Optuna, which its dashboard and its analyses of hyperparameters open.

Each individual is a trial: its constants are the parameters, the means of the objectives of selection the values, and
for one objective the first training curve gives the intermediate values. An individual that another structure lacks a
constant of lacks that parameter, as in a conditional space of Optuna's own.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evo.runs.lifecycle import Viewed
from evo.standings.individuals import Standing, read_individuals
from evo.store import EvaluationRecord
from operators.source.constants import Constant, Value, find_constants
from operators.source.literals import is_number
from trainer.errors import UsageError
from trainer.evaluation import Status

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial


def export_study(viewed: Viewed, storage: str, name: str) -> int:
    """Write the measured and the failed individuals of a run into a new study; return how many these are.

    Args:
        viewed: the run.
        storage: where, as Optuna names it: `sqlite:///study.db`, or the URL of a server.
        name: of the study.

    Raises:
        UsageError: the storage cannot be opened, or it has a study of this name.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    objectives = viewed.config.objectives(viewed.config.search.objectives)
    directions = [optuna.study.StudyDirection[objective.direction.name] for objective in objectives]
    trials = list(_trials(viewed))
    try:
        study = optuna.create_study(storage=storage, study_name=name, directions=directions)
        study.add_trials(trials)
    except optuna.exceptions.DuplicatedStudyError as error:
        raise UsageError(f"There is a study {name!r} in that storage. Choose another name with --study.") from error
    except (SQLAlchemyError, ImportError, ValueError) as error:
        # Neither the URL nor the driver's message: both may hold a password.
        raise UsageError(
            f"--optuna expects a storage such as sqlite:///study.db, but this one cannot be opened "
            f"({type(error).__name__})."
        ) from error
    study.set_user_attr("evo:run", str(viewed.folder.path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([objective.name for objective in objectives])
    return len(trials)


def _trials(viewed: Viewed) -> Iterator[FrozenTrial]:
    names = viewed.config.search.objectives
    individuals = read_individuals(viewed.store, viewed.standings)
    constants = {id_: _constants(viewed.store.source(id_)) for id_ in individuals}
    distributions = _distributions(list(constants.values()))
    for id_, individual in individuals.items():
        if evaluation := _evaluation(viewed, id_):
            yield _trial(individual, constants[id_], distributions, names, evaluation)


def _trial(
    individual: Standing,
    constants: Mapping[str, Constant],
    distributions: Mapping[str, BaseDistribution],
    names: Sequence[str],
    evaluation: EvaluationRecord,
) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    values = [individual.objectives[name] for name in names if name in individual.objectives]
    is_measured = len(values) == len(names)
    curve = evaluation.result.curve if evaluation.result and len(names) == 1 else ()
    trial = create_trial(
        state=TrialState.COMPLETE if is_measured else TrialState.FAIL,
        values=values if is_measured else None,
        params={name: _param(constant, distributions[name]) for name, constant in constants.items()},
        distributions={name: distributions[name] for name in constants},
        intermediate_values={point.step: point.loss for point in curve},
        user_attrs={
            "individual": individual.id,
            "parents": list(individual.parents),
            "operator": individual.operator,
            "idea": individual.idea,
            "evaluations": individual.replicates,
            **({} if is_measured or evaluation.result is None else {"status": str(evaluation.result.status)}),
        },
    )
    trial.datetime_start = _time(evaluation.launched_at)
    trial.datetime_complete = _time(evaluation.finished_at)
    return trial


def _constants(source: str) -> Mapping[str, Constant]:
    try:
        return find_constants(source)
    except SyntaxError:
        return {}


def _distributions(constants: Sequence[Mapping[str, Constant]]) -> dict[str, BaseDistribution]:
    """Return what each parameter is chosen from: the range of the numbers that the run tried, or the list of values."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    tried: dict[str, list[Value]] = {}
    for of_one in constants:
        for name, constant in of_one.items():
            tried.setdefault(name, []).append(constant.value)
    found: dict[str, BaseDistribution] = {}
    for name, values in tried.items():
        numbers = [value for value in values if is_number(value)]
        if len(numbers) < len(values):
            found[name] = CategoricalDistribution(list(dict.fromkeys(map(_choice, values))))
        elif all(isinstance(number, int) for number in numbers):
            found[name] = IntDistribution(int(min(numbers)), int(max(numbers)))
        else:
            found[name] = FloatDistribution(min(numbers), max(numbers))
    return found


def _param(constant: Constant, distribution: BaseDistribution) -> Any:
    from optuna.distributions import CategoricalDistribution

    return _choice(constant.value) if isinstance(distribution, CategoricalDistribution) else constant.value


def _choice(value: Value) -> bool | int | float | str:
    """Return a value that Optuna can list: a tuple is named by its text."""
    return str(value) if isinstance(value, tuple) else value


def _evaluation(viewed: Viewed, individual: int) -> EvaluationRecord | None:
    """Return the first evaluation of an individual that ended OK, else the first that ended; None before."""
    done = [record for record in viewed.store.evaluations_of(individual) if record.result is not None]
    ok = (record for record in done if record.result is not None and record.result.status is Status.OK)
    return next(ok, done[0] if done else None)


def _time(seconds: float | None) -> datetime | None:
    """Return a time as Optuna keeps it: local, without a zone."""
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC).astimezone().replace(tzinfo=None)
