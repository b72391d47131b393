"""The arms of a comparison: well-known ways of searching as configurations of one and the same search.

All of them share the task, the budget, the workers, the noise of measurement and the way in which a run's best is
chosen; each differs in what it does with what it has seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evo.compare.experiment import ArmConfig, Experiment
from evo.compare.methods import METHODS
from evo.config.reading import parse_config
from evo.config.renamed import with_current_names
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig, StoredConfig
from evo.standings.usage import SECONDS_AN_HOUR, Prices
from trainer.errors import ConfigError

_SET_BY_EXPERIMENT = ("seed", "gens", "max_hours", "max_gpu_hours", "max_usd", "target", "patience")
_HEADROOM = 5
"""How many evaluations a run is planned for, times what a budget of seconds or dollars is expected to pay for: crashes
are quick, and an arm that crashes often gets more tries."""


def arm_config(experiment: Experiment, arm: ArmConfig, seed: int, source: str) -> ResolvedConfig:
    """Return the resolved configuration of a run of an arm; its workers are those of the whole experiment.

    Raises:
        ConfigError: a key or a value is wrong, or the budget cannot be the same for this arm.
    """
    where = f"{source}, arm {arm.name}"
    given = (experiment.base, METHODS[arm.method] if arm.method else {}, arm.sections)
    layers = [with_current_names(layer, where) for layer in given]
    for layer in layers:
        for key in _SET_BY_EXPERIMENT:
            if key in layer.get("search", {}):
                raise ConfigError(f"{where}: `search.{key}` is the experiment's to set; its budget and its seeds are.")
    data: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for name, section in layer.items():
            if not isinstance(section, Mapping):
                raise ConfigError(f"{where}: `{name}` must be a table, but it was {section!r}.")
            data[name] = {**data.get(name, {}), **section}
    data["search"] = {**data.get("search", {}), "seed": seed}
    config = resolve(parse_config(data, where))
    return _limited(config, experiment, where)


def evaluation_seconds(experiment: Experiment, config: StoredConfig) -> float | None:
    """Return about how long an evaluation takes a worker; None where neither the experiment nor the task says."""
    if experiment.budget.evaluation_seconds is not None:
        return experiment.budget.evaluation_seconds
    return config.budget.train_seconds if config.script is None else config.script.fixed_seconds


def expected_evaluations(experiment: Experiment, config: StoredConfig, where: str) -> int:
    """Return how many evaluations the budget of a run is expected to pay for, and at least 1.

    Raises:
        ConfigError: the length of one is unknown.
    """
    budget = experiment.budget
    if budget.evaluations is not None:
        return budget.evaluations
    seconds = evaluation_seconds(experiment, config)
    if seconds is None:
        raise ConfigError(
            f"{where}: `budget.evaluation_seconds` is missing: the task does not say how long an evaluation takes, so "
            "a run of so many GPU-seconds or dollars cannot be planned."
        )
    prices = Prices.of(config)
    if budget.usd is not None:
        return max(1, int(budget.usd / prices.worker_usd(seconds)))
    return max(1, int((budget.gpu_seconds or 0.0) / prices.gpu_seconds(seconds)))


def _limited(config: ResolvedConfig, experiment: Experiment, where: str) -> ResolvedConfig:
    """Return a configuration with the experiment's budget."""
    budget, pop, expected = experiment.budget, config.search.pop, expected_evaluations(experiment, config, where)
    if budget.usd is not None and config.uses_language_model:
        _require_price(config, where)
    if budget.evaluations is not None:
        if expected % pop:
            raise ConfigError(
                f"{where}: `budget.evaluations` must be whole generations of every arm, so that budgets are equal, but "
                f"{expected} is no multiple of its population of {pop}; {expected - expected % pop + pop} is one."
            )
        return config.with_search(gens=expected // pop)
    limits = {
        "gens": math.ceil(_HEADROOM * expected / pop),
        "max_gpu_hours": budget.gpu_seconds and budget.gpu_seconds / SECONDS_AN_HOUR,
        "max_usd": budget.usd,
    }
    # The confirmation is a share of what the budget is expected to pay for.
    noise = config.noise.model_copy(update={"confirm_fraction": config.noise.confirm_fraction / _HEADROOM})
    return config.with_search(**limits).model_copy(update={"noise": noise})


def _require_price(config: StoredConfig, where: str) -> None:
    from operators.llm import PRICES

    for model in config.llm.entries:
        if model.known_price is None:
            raise ConfigError(
                f"{where}: a budget in dollars needs a model whose price is known ({', '.join(PRICES)}), but it was "
                f"{model.name!r}."
            )
