"""What an ablation says, over measurements that follow a known rule."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evo.studies.ablation import Ablation, EditEffect, ablation, planned, trials
from evo.studies.edits import Change, split_change
from evo.studies.measurement_cache import Measurement, MeasurementCache
from operators.gate import SourceGate, script_contract
from operators.source.constants import find_constants
from trainer.errors import ConfigError
from trainer.evaluation import Status
from trainer.objectives import Direction, Objective

LOSS = Objective("loss", Direction.MINIMIZE, "nats")
BEFORE = "A = 0\nB = 0\nC = 0\nD = 0\n"
AFTER = "A = 1\nB = 1\nC = 1\nD = 1\n"
NOISE = (0.0, 0.004, -0.003)

Rule = Callable[[dict[str, int]], float | None]


def change(before: str = BEFORE, after: str = AFTER) -> Change:
    gate = SourceGate(script_contract(["train.py"]), known=lambda _: None)
    return split_change(before, after, ["train.py"], gate.read)


def found(tmp_path: Path, rule: Rule, parts: Change | None = None, seeds: int = 3) -> Ablation:
    """Return the ablation of programs whose loss is `rule` of their constants, plus a little noise."""
    whole = parts or change()
    cache = MeasurementCache(tmp_path / "ablation.json", {})
    for index, trial in enumerate(trials(whole, range(seeds))):
        value = rule({name: int(str(one.value)) for name, one in find_constants(trial.program).items()})
        noise = NOISE[index % len(NOISE)] + trial.seed
        failed = Measurement(Status.CRASHED, reason="ValueError: no")
        measured = failed if value is None else Measurement(Status.OK, {"loss": value + noise})
        cache.add(trial.program, trial.seed, measured)
    return ablation(whole, cache, range(seeds), LOSS)


def verdicts(result: Ablation) -> list[EditEffect]:
    return [part.verdict for part in result.parts]


def test_what_carries_contributes_harms_and_does_nothing(tmp_path: Path) -> None:
    result = found(tmp_path, lambda c: 2 - 0.5 * c["A"] - 0.1 * c["B"] + 0.1 * c["C"])
    assert verdicts(result) == [EditEffect.CARRIES, EditEffect.CONTRIBUTES, EditEffect.HARMFUL, EditEffect.NEUTRAL]
    assert result.whole.mean == pytest.approx(0.5, abs=0.01)
    alone = [part.alone.mean for part in result.parts]
    left_out = [part.left_out.mean for part in result.parts]
    assert alone == pytest.approx([0.5, 0.1, -0.1, 0.0], abs=0.01)
    assert left_out == pytest.approx([0.5, 0.1, -0.1, 0.0], abs=0.01)


def test_edits_that_only_work_together(tmp_path: Path) -> None:
    result = found(tmp_path, lambda c: 2 - 0.5 * c["A"] * c["B"])
    assert verdicts(result) == [EditEffect.CARRIES, EditEffect.CARRIES, EditEffect.NEUTRAL, EditEffect.NEUTRAL]
    assert result.parts[0].alone.mean == pytest.approx(0, abs=0.01)


def test_edits_that_replace_one_another(tmp_path: Path) -> None:
    result = found(tmp_path, lambda c: 2 - 0.5 * max(c["A"], c["B"]))
    assert verdicts(result)[:2] == [EditEffect.CARRIES, EditEffect.CARRIES]
    assert result.parts[0].left_out.mean == pytest.approx(0, abs=0.01)


def test_failures_are_told_from_effects(tmp_path: Path) -> None:
    alone_fails = found(tmp_path, lambda c: None if c == {"A": 1, "B": 0, "C": 0, "D": 0} else 2 - 0.5 * c["B"])
    assert verdicts(alone_fails)[:2] == [EditEffect.FAILS_ALONE, EditEffect.CARRIES]
    assert alone_fails.parts[0].remarks == ("3 crashed", "")
    assert alone_fails.parts[0].reasons == ("ValueError: no", "")


def test_an_edit_that_the_others_need(tmp_path: Path) -> None:
    result = found(tmp_path, lambda c: None if c["A"] < c["D"] else 2 - 0.5 * c["B"])
    assert verdicts(result) == [EditEffect.NEEDED, EditEffect.CARRIES, EditEffect.NEUTRAL, EditEffect.FAILS_ALONE]


def test_what_is_not_measured_yet(tmp_path: Path) -> None:
    parts = change()
    cache = MeasurementCache(tmp_path / "ablation.json", {})
    for trial in trials(parts, range(2))[:2]:
        cache.add(trial.program, trial.seed, Measurement(Status.OK, {"loss": 1.0}))
    result = ablation(parts, cache, range(2), LOSS)
    assert set(verdicts(result)) == {EditEffect.UNKNOWN}
    assert result.whole.mean == 0
    assert result.paired_noise.degrees == 0


def test_with_one_seed_the_noise_is_unknown(tmp_path: Path) -> None:
    result = found(tmp_path, lambda c: 2 - 0.5 * c["A"], seeds=1)
    assert set(verdicts(result)) == {EditEffect.OPEN}
    assert result.parts[0].alone.noise is None


def test_one_edit_is_the_whole_change_and_costs_nothing_more(tmp_path: Path) -> None:
    parts = change("A = 0\n", "A = 1\n")
    assert len(trials(parts, range(3))) == 6
    result = found(tmp_path, lambda c: 2 - 0.5 * c["A"], parts)
    assert verdicts(result) == [EditEffect.CARRIES]
    assert result.parts[0].alone == result.parts[0].left_out == result.whole


def test_the_budget_joins_edits() -> None:
    parts = change()
    assert planned(parts, None, 2) is parts
    assert [len(planned(parts, budget, 2).edits) for budget in (20, 19, 16, 15, 8, 7, 4)] == [4, 3, 3, 2, 2, 1, 1]
    many = change("".join(f"A{i} = 0\n" for i in range(50)), "".join(f"A{i} = 1\n" for i in range(50)))
    assert len(trials(planned(many, None, 2), range(2))) == 40
    with pytest.raises(ConfigError, match="--evaluations is 3"):
        planned(parts, 3, 2)
