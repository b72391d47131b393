import math
from pathlib import Path
from typing import Any

import pytest

from evo.config.config import parse_config
from evo.studies.comparison import PairedGain
from evo.studies.measurement_cache import Measurement, MeasurementCache
from evo.studies.promotion import Contender, Transfer, promotion, trials
from evo.studies.scale import Scale
from trainer.errors import ConfigError
from trainer.evaluation import Status
from trainer.genome import join
from trainer.objectives import Constraint, Direction, Objective

LOSS = Objective("loss", Direction.MINIMIZE, "nats")
CONFIG = parse_config({"budget": {"train_seconds": 30.0}})


def test_keys_and_constants_are_told_apart() -> None:
    texts = ["budget.train_seconds=300", "DEPTH = 12", "task.dataset=./texts", 'MODE="slow"', "BETAS=[0.9, 0.95]"]
    scale = Scale.parse(texts)
    assert scale.keys == {"budget.train_seconds": 300, "task.dataset": "./texts"}
    assert scale.constants == {"DEPTH": 12, "MODE": "slow", "BETAS": (0.9, 0.95)}
    assert scale.digest == Scale.parse(reversed(texts)).digest
    assert scale.digest != Scale.parse(["DEPTH=13"]).digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DEPTH", "KEY=VALUE"),
        ("DEPTH=", "KEY=VALUE"),
        ("search.pop=3", "[task] or [budget]"),
        ("budget=3", "[task] or [budget]"),
        ("depth=3", "[task] or [budget]"),
        ("task.genome=x.py", "what is measured"),
        ("task.objectives.loss.unit=x", "what is measured"),
        ("DEPTH={}", "a number"),
        ("DEPTH=[]", "a number"),
    ],
)
def test_what_is_no_scale_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Scale.parse([text])
    assert words in str(refusal.value)
    assert text.partition("=")[0].strip() in str(refusal.value)


def test_a_setting_is_named_once() -> None:
    with pytest.raises(ConfigError, match="twice"):
        Scale.parse(["DEPTH=3", "DEPTH=4"])


def test_a_configuration_at_a_scale() -> None:
    larger = Scale.parse(["budget.train_seconds=300", "task.sequence_length=256"]).configured(CONFIG)
    assert larger.budget.train_seconds == 300
    assert larger.task.model_dump()["sequence_length"] == 256
    assert larger.search == CONFIG.search


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("budget.train_secnds=3", "did you mean 'train_seconds'?"),
        ("budget.train_seconds=soon", "valid number"),
        ("budget.train_seconds.x=3", "which has no parts"),
    ],
)
def test_a_wrong_setting_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Scale.parse([text]).configured(CONFIG)
    assert words in str(refusal.value)
    assert "--scale" in str(refusal.value)


def test_constants_of_a_genome_at_a_scale() -> None:
    scale = Scale.parse(["DEPTH=12", "RATE=1e-3"])
    source = "DEPTH = 4  # layers\nRATE: float = 3e-4\nprint(DEPTH, RATE)\n"
    expected = "DEPTH = 12  # layers\nRATE: float = 1e-3\nprint(DEPTH, RATE)\n"
    assert scale.genome(source, ["train.py"], "generation 0") == expected
    with pytest.raises(ConfigError, match="--scale DEPTH: individual 7 has no such constant, but DEPTHS"):
        scale.genome("DEPTHS = 4\nRATE = 1.0\n", ["train.py"], "individual 7")
    with pytest.raises(ConfigError, match="a value like 'four'"):
        scale.genome("DEPTH = 'four'\nRATE = 1.0\n", ["train.py"], "individual 7")


def test_constants_are_found_in_any_file_of_a_genome() -> None:
    names = ["train.py", "model.py"]
    source = join({"train.py": "STEPS = 3\n", "model.py": "DEPTH = 4\n"})
    assert Scale.parse(["DEPTH=8"]).genome(source, names, "generation 0") == source.replace("DEPTH = 4", "DEPTH = 8")
    moved = source.replace("STEPS = 3", "STEPS = 5")
    assert Scale.parse(["STEPS=9"]).overridden(source, moved, names) == ["STEPS 3 → 5"]
    assert Scale.parse(["DEPTH=9"]).overridden(source, moved, names) == []


def contender(individual: int, share: float | None = 0.1) -> Contender:
    in_run = PairedGain(0.1, 0.01, 0.02, 2)
    return Contender(individual, "an idea", f"X = {individual}\n", in_run, share, confirmed=True)


def verdicts(tmp_path: Path, values: dict[int, list[float | None]], **more: Any) -> dict[int, Transfer]:
    """Return the verdicts over individuals whose values by seed are given; None is a crash, and 0 is generation 0."""
    cache = MeasurementCache(tmp_path / "promotion.json", {})
    zero, *contenders = (contender(individual) for individual in values)
    for one, measured in zip((zero, *contenders), values.values(), strict=True):
        for seed, value in enumerate(measured):
            failed = Measurement(Status.CRASHED, reason="no")
            cache.add(one.program, seed, failed if value is None else Measurement(Status.OK, {"loss": value}))
    result = promotion(zero.program, contenders, Scale.parse(["X=1"]), cache, range(4), LOSS, **more)
    return {one.contender.individual: one.verdict for one in result.promoted}


def test_verdicts(tmp_path: Path) -> None:
    found = verdicts(
        tmp_path,
        {
            0: [1.000, 1.010, 0.990, 1.002],
            1: [0.900, 0.909, 0.893, 0.904],
            2: [1.001, 1.009, 0.992, 1.000],
            3: [1.100, 1.111, 1.090, 1.101],
            4: [None, None, None, None],
            5: [],
        },
    )
    assert found == {
        1: Transfer.TRANSFERS,
        2: Transfer.DOES_NOT,
        3: Transfer.DOES_NOT,
        4: Transfer.FAILS,
        5: Transfer.UNKNOWN,
    }


def test_few_and_noisy_seeds_decide_nothing(tmp_path: Path) -> None:
    assert verdicts(tmp_path, {0: [1.0, 1.1], 1: [0.9, 1.05]}) == {1: Transfer.OPEN}
    assert verdicts(tmp_path, {0: [1.0], 1: [0.5]}) == {1: Transfer.OPEN}


def test_a_constraint_that_breaks_at_the_scale(tmp_path: Path) -> None:
    bounds = [Constraint.parse("loss < 1.05")]
    values: dict[int, list[float | None]] = {0: [1.0, 1.01], 1: [1.1, 1.11]}
    assert verdicts(tmp_path, values, bounds=bounds) == {1: Transfer.BREAKS}


def test_who_is_generation_zero_at_the_scale_adds_nothing(tmp_path: Path) -> None:
    cache = MeasurementCache(tmp_path / "promotion.json", {})
    zero, other = contender(1), contender(2)
    for program, values in ((zero.program, (1.0, 1.2)), (other.program, (0.8, 0.9))):
        for seed, value in enumerate(values):
            cache.add(program, seed, Measurement(Status.OK, {"loss": value}))
    result = promotion(zero.program, [zero, other], Scale.parse(["X=1"]), cache, range(2), LOSS)
    assert [one.verdict for one in result.promoted] == [Transfer.SAME, Transfer.OPEN]
    assert result.paired_noise.degrees == 1
    assert len(trials(zero.program, [zero, other], range(2))) == 4
    assert result.base is not None
    assert math.isclose(result.base, 1.1)
