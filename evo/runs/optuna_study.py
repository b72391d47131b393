"""A run as a study of Optuna, which its dashboard and its analyses of hyperparameters open; and programs from a study.

Each individual is a trial: its constants are the parameters, the means of the objectives of selection the values, and
for one objective the first training curve gives the intermediate values. An individual that another structure lacks a
constant of lacks that parameter, as in a conditional space of Optuna's own.

The other way, the best trials of a study become programs: an individual with the constants that bear the names of their
parameters set to their values.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo.runs.lifecycle import Viewed
from evo.standings.individuals import Standing, read_individuals
from evo.store import EvaluationRecord
from operators.source.constants import Constant, Value, find_constants, replace_constants
from operators.source.literals import LARGEST_NUMBER, is_number
from trainer.errors import UsageError
from trainer.evaluation import Status
from trainer.source_text import literal_value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial


def export_study(viewed: Viewed, storage: str, name: str) -> int:
    """Write the measured and the failed individuals of a run into a new study; return how many these are.

    The study bears its name once it is whole. Until then it is called `NAME (unfinished)`, and the next export of that
    name removes what an interrupted one left.

    Args:
        storage: where, as Optuna names it: `sqlite:///study.db`, or the URL of a server.

    Raises:
        UsageError: the storage cannot be used, or it has a study of this name.
    """
    import optuna
    from sqlalchemy.exc import IntegrityError, SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials = list(_trials(viewed))
    try:
        database = optuna.storages.RDBStorage(storage)
        if name in optuna.get_all_study_names(database):
            raise _taken(name)
        _write(viewed, trials, database, f"{name} (unfinished)")
        _rename(database, f"{name} (unfinished)", name)
    except IntegrityError as error:
        raise _taken(name) from error
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError, ValueError) as error:
        raise _no_storage(error) from error
    return len(trials)


def _write(viewed: Viewed, trials: Sequence[FrozenTrial], database: RDBStorage, name: str) -> None:
    import optuna

    objectives = viewed.config.objectives(viewed.config.search.objectives)
    directions = [optuna.study.StudyDirection[objective.direction.name] for objective in objectives]
    if name in optuna.get_all_study_names(database):
        optuna.delete_study(study_name=name, storage=database)
    study = optuna.create_study(storage=database, study_name=name, directions=directions)
    study.add_trials(trials)
    study.set_user_attr("evo:run", str(viewed.folder.path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([objective.name for objective in objectives])


def _rename(database: RDBStorage, old: str, new: str) -> None:
    """Rename a study in one transaction; Optuna itself cannot."""
    from sqlalchemy import text

    with database.engine.begin() as connection:
        rename = text("UPDATE studies SET study_name = :new WHERE study_name = :old")
        connection.execute(rename, {"old": old, "new": new})


def _taken(name: str) -> UsageError:
    return UsageError(f"There is a study {name!r} in that storage. Choose another name with --study.")


@dataclass(frozen=True, slots=True)
class TrialProgram:
    """A program with the constants of a trial.

    Attributes:
        trial: its number in the study.
        set: what differs from the individual that it was made from, by constant.
    """

    trial: int
    source: str
    set: Mapping[str, Value]


def trial_programs(viewed: Viewed, storage: str, name: str | None, parent: int, count: int) -> list[TrialProgram]:
    """Return programs made from an individual with the constants of the best trials of a study, the best first.

    Args:
        storage: where, as Optuna names it.
        name: of the study; the only one by default.
        count: how many programs at most, each another one; of a study with several objectives from its Pareto front.

    Raises:
        UsageError: there is no such study, or it has no complete trial with a parameter that is called as a constant.
    """
    study = _study(storage, name)
    source = viewed.store.source(parent)
    constants = _constants(source)
    programs: dict[str, TrialProgram] = {}
    for trial in _best_trials(study):
        values = {key: _value(param, constants[key].value) for key, param in trial.params.items() if key in constants}
        if values:
            changed = {key: value for key, value in values.items() if value != constants[key].value}
            with suppress(ValueError):  # of a number that is not finite
                program = replace_constants(source, changed)
                programs.setdefault(program, TrialProgram(trial.number, program, changed))
        if len(programs) == count:
            break
    if not programs:
        raise UsageError(
            f"No complete trial of the study {study.study_name!r} has a parameter that is called as a constant of "
            f"individual {parent}, and finite: {', '.join(constants) or 'it has none'}."
        )
    return list(programs.values())


def _study(storage: str, name: str | None) -> Study:
    import optuna
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        url = make_url(storage)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            raise UsageError(f"There is no file {url.database} with a study.")  # SQLite would make an empty one
        # Optuna would make its tables in any other database, such as the store of a run.
        database = optuna.storages.RDBStorage(storage, skip_table_creation=True)
        names = optuna.get_all_study_names(database)
        if name is None and len(names) == 1:
            (name,) = names
        if name is None or name not in names:
            found = ", ".join(names) or "none"
            raise UsageError(f"Name one of the studies in that storage with --study. It has: {found}.")
        return optuna.load_study(study_name=name, storage=database)
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError, ValueError) as error:
        raise _no_storage(error) from error
    except RuntimeError as error:  # another version of Optuna wrote it, and the message says what to do
        raise UsageError(str(error)) from error


def _best_trials(study: Study) -> list[FrozenTrial]:
    from optuna.study import StudyDirection
    from optuna.trial import TrialState

    if len(study.directions) > 1:
        return study.best_trials
    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    sign = -1 if study.direction is StudyDirection.MAXIMIZE else 1
    return sorted(complete, key=lambda trial: sign * (trial.value or 0.0))


def _value(param: object, now: Value) -> Value:
    """Return a parameter as the literal that stands for it, of the kind that the constant has now."""
    if isinstance(param, str) and not isinstance(now, str):
        with suppress(ValueError):
            read = literal_value(param)
            if is_number(read) and is_number(now):
                return _value(read, now)
            return read if type(read) is type(now) else now
        return now
    if isinstance(param, float) and param.is_integer() and isinstance(now, int):
        return int(param)
    return param if isinstance(param, bool | int | float | str) else now


def _no_storage(error: Exception) -> UsageError:
    """Return what to say where a storage cannot be used: neither its URL nor the driver's message, for passwords."""
    kind = type(error).__name__
    return UsageError(f"--optuna expects a storage such as sqlite:///study.db, but this one cannot be used ({kind}).")


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
    curve = evaluation.result.training_curve if evaluation.result and len(names) == 1 else ()
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
        numbers = [value for value in values if is_number(value) and not _is_large(value)]
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
    """Return a value that Optuna can list."""
    return str(value) if isinstance(value, tuple) or _is_large(value) else value


def _is_large(value: Value) -> bool:
    """Return whether Optuna, which keeps numbers as floats, gets the text of a whole one."""
    return isinstance(value, int) and abs(value) > LARGEST_NUMBER


def _evaluation(viewed: Viewed, individual: int) -> EvaluationRecord | None:
    """Return the first evaluation of an individual that ended OK, else the first that ended; None before."""
    done = [record for record in viewed.store.evaluations_of(individual) if record.result is not None]
    ok = (record for record in done if record.result is not None and record.result.status is Status.OK)
    return next(ok, done[0] if done else None)


def _time(seconds: float | None) -> datetime | None:
    """Return a time as Optuna keeps it: local, without a zone."""
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC).astimezone().replace(tzinfo=None)
