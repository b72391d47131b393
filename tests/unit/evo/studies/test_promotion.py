import math
from pathlib import Path
from typing import Any

from evo.studies.comparison import PairedGain
from evo.studies.measurement_cache import Measurement, MeasurementCache
from evo.studies.promotion import Contender, Transfer, promotion, trials
from evo.studies.scale import Scale
from trainer.evaluation import Status
from trainer.objectives import Constraint, Direction, Objective

LOSS = Objective("loss", Direction.MINIMIZE, "nats")


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
