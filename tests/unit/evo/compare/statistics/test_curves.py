import math

import numpy as np
import pytest
from compare_samples import LOSS, SCORE, arms_of, results

from evo.compare.statistics.curves import TARGETS, anytime_curves, expected_runtimes
from evo.compare.statistics.effect_sizes import interquartile_mean

# Two arms of two runs each; `a` gets from 10 to 6 in both, `b` in one only.
PROGRESS = (
    ("a", 0, 1, 10.0, 0.0, 10.0),
    ("a", 0, 4, 40.0, 0.0, 6.0),
    ("a", 1, 1, 10.0, 0.0, 10.0),
    ("a", 1, 8, 80.0, 0.0, 6.0),
    ("b", 0, 1, 10.0, 0.5, 10.0),
    ("b", 0, 2, 20.0, 1.0, 6.0),
    ("b", 1, 1, 10.0, 0.5, 10.0),
    ("b", 1, 9, 90.0, 4.5, 9.5),
)
SAMPLE = results(arms_of(a=[6.0, 6.0], b=[6.0, 9.5]), progress=PROGRESS)


def row(table, share, arm):
    (found,) = table[(table["share"] == share) & (table["arm"] == arm)].to_dict("records")
    return found


def test_the_expected_runtime_is_everything_spent_over_the_runs_that_got_there():
    table = expected_runtimes(SAMPLE)
    assert len(table) == len(TARGETS) * 2
    assert row(table, 0.5, "a")["target"] == 8.0
    assert row(table, 0.5, "a")["evaluations"] == (4 + 8) / 2
    half = row(table, 0.5, "b")
    # The run in vain counts with its whole budget, spent after its last result too.
    assert (half["evaluations"], half["reached"], half["runs"]) == (2 + 10, 1, 2)
    assert half["gpu_seconds"] == 20 + 100


def test_a_target_that_nobody_of_an_arm_reached_takes_forever():
    sample = results(arms_of(a=[6.0, 6.0], b=[9.0, 9.5]), progress=[*PROGRESS[:4], ("b", 0, 1, 10.0, 0.5, 10.0)])
    assert row(expected_runtimes(sample), 0.9, "b")["evaluations"] == math.inf


def test_an_unknown_price_stays_unknown():
    unknown = [(*one[:4], math.nan, one[5]) if one[0] == "b" else one for one in PROGRESS]
    sample = results(arms_of(a=[6.0, 6.0], b=[6.0, 9.5]), progress=unknown)
    assert math.isnan(row(expected_runtimes(sample), 0.5, "b")["usd"])
    assert [curve.arm for curve in anytime_curves(sample, "evaluations")] == ["a", "b"]
    assert anytime_curves(sample, "usd") == ()


def test_nothing_better_than_the_beginning_sets_no_target():
    flat = [(*one[:5], 10.0) for one in PROGRESS]
    assert expected_runtimes(results(arms_of(a=[10.0, 10.0], b=[10.0, 10.0]), progress=flat)).empty
    assert expected_runtimes(results(arms_of(a=[1.0], b=[1.0]))).empty


@pytest.mark.parametrize("objective", [LOSS, SCORE])
def test_targets_lie_on_the_better_side(objective):
    sign = -objective.weight
    progress = [(*one[:5], sign * one[5]) for one in PROGRESS]
    table = expected_runtimes(results(arms_of(a=[6.0, 6.0], b=[6.0, 9.5]), objectives=(objective,), progress=progress))
    assert row(table, 0.5, "a")["target"] == sign * 8.0
    assert row(table, 0.5, "b")["reached"] == 1


def test_a_curve_is_the_interquartile_mean_of_the_runs_as_far_as_they_are():
    first, second = anytime_curves(SAMPLE, "evaluations")
    assert (first.arm, first.runs, first.spent[0], first.spent[-1]) == ("a", 2, 1.0, 9.0)
    for at, values in ((1.0, [10, 10]), (4.0, [6, 10]), (8.5, [6, 6]), (9.0, [6, 6])):
        step = np.searchsorted(first.spent, at)
        assert first.middle[step] == interquartile_mean(np.array(values, float)).value
    assert (second.low[-1], second.high[-1]) == pytest.approx((6 + 3.5 / 4, 9.5 - 3.5 / 4))
    assert [curve.spent[-1] for curve in anytime_curves(SAMPLE, "usd")] == [4.5, 4.5]


def test_runs_that_do_not_count_are_in_no_curve():
    unfinished = results([*arms_of(a=[6.0, 6.0], b=[6.0]), ("b", 1, math.nan, "unfinished")], progress=PROGRESS)
    assert [curve.runs for curve in anytime_curves(unfinished, "evaluations")] == [1, 1]
    assert row(expected_runtimes(unfinished), 0.5, "a")["runs"] == 1
    nothing_yet = [("a", 0, 1, 1.0, 0.0, math.nan)]
    assert anytime_curves(results(arms_of(a=[6.0], b=[6.0]), progress=nothing_yet), "evaluations") == ()
