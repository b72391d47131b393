"""From a file to an experiment that can run here, and that matches the one begun in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evo.compare.arms import arm_config
from evo.compare.collecting import Definition
from evo.compare.experiment import load_experiment
from evo.compare.folder import ExperimentFolder
from evo.runs.generation_zero import read_generation_zero
from evo.runs.materials import Materials, frozen_digests
from evo.studies.folder import comparable
from evo.text import sha256
from trainer.errors import ConfigError


def define(path: Path) -> Definition:
    """Return the experiment of a file as this machine would run it.

    Raises:
        ConfigError: the file, an arm or a budget is wrong.
        GenomeError: generation 0 cannot be one.
    """
    experiment = load_experiment(path)
    configs = [
        arm_config(experiment, arm, experiment.seed_of(number, 0), str(path))
        for number, arm in enumerate(experiment.arms)
    ]
    for arm, config in zip(experiment.arms, configs, strict=True):
        for key in ("objectives", "front"):
            found, expected = getattr(config.search, key), getattr(configs[0].search, key)
            if found != expected:
                raise ConfigError(
                    f"{path}, arm {arm.name}: `search.{key}` must be the same for all arms, but it was {[*found]}, and "
                    f"{[*expected]} for {experiment.arms[0].name}. Put it into [base]."
                )
    return Definition(experiment, configs, read_generation_zero(configs[0]))


def begin(definition: Definition, folder: ExperimentFolder, materials: Materials) -> None:
    """Record the definition when the experiment begins, and refuse to continue with another one.

    Raises:
        ChangedExperiment: the definition differs from the recorded one.
    """
    folder.begin(_decided(definition, materials), "arms", _is_growth, "Only `repeats` may grow.")


def _decided(definition: Definition, materials: Materials) -> dict[str, Any]:
    """Return everything that the results depend on."""
    experiment = definition.experiment
    arms = {arm.name: comparable(config) for arm, config in zip(experiment.arms, definition.configs, strict=True)}
    return {
        "experiment": experiment.model_dump(mode="json"),
        "arms": arms,
        "generation_zero": sha256(definition.generation_zero),
        "frozen": frozen_digests(materials),
    }


def _is_growth(key: str, before: Any, now: Any) -> bool:
    if key == "experiment.repeats":
        return bool(before < now)
    return key == "experiment.seeds" and bool(before) and now[: len(before)] == before
