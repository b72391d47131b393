import itertools
import math

import numpy as np
import pytest
from compare_samples import SCORE, arms_of, results
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evo.compare.statistics.rank_tests import (
    Claim,
    comparisons,
    counted,
    holm,
    outcomes,
    rank_sums,
    signed_ranks,
    smallest_paired_p,
    smallest_unpaired_p,
)
from experiments.landscape import Landscape

small = st.integers(-4, 4).map(float)
p_value = st.floats(0, 1)


def every_sign(differences):
    """Return the p value of signed ranks by trying all signs."""
    ranks = stats.rankdata(np.abs(differences))[np.array(differences) != 0]
    signs = np.sign(differences)[np.array(differences) != 0]
    middle, seen = ranks.sum() / 2, ranks[signs > 0].sum()
    sums = [ranks[np.array(way, bool)].sum() for way in itertools.product([0, 1], repeat=len(ranks))]
    return np.mean([abs(one - middle) >= abs(seen - middle) - 1e-9 for one in sums])


def every_order(ours, theirs):
    """Return the p value of rank sums by trying all ways of choosing who belongs to which arm."""
    ranks = stats.rankdata([*ours, *theirs])
    seen = ranks[: len(ours)].sum()
    sums = [ranks[list(way)].sum() for way in itertools.combinations(range(len(ranks)), len(ours))]
    below, above = (np.mean([compare(one, seen) for one in sums]) for compare in (np.less_equal, np.greater_equal))
    return min(1.0, 2 * min(below, above))


@given(st.lists(small, min_size=1, max_size=8))
def test_signed_ranks_are_exact_with_ties_and_zeros(differences):
    found = signed_ranks(np.array(differences), np.zeros(len(differences)))
    assert found.p == pytest.approx(every_sign(differences) if any(differences) else 1.0)
    assert found.p >= smallest_paired_p(len(differences)) - 1e-12


@given(st.lists(small, min_size=2, max_size=4), st.lists(small, min_size=2, max_size=5))
def test_rank_sums_are_exact_with_ties(ours, theirs):
    found = rank_sums(np.array(ours), np.array(theirs))
    assert found.p == pytest.approx(every_order(ours, theirs))
    assert found.p >= smallest_unpaired_p(len(ours), len(theirs)) - 1e-12


def test_the_tests_are_those_of_scipy_where_nothing_ties():
    chance = np.random.default_rng(0)
    for runs in (5, 12, 30, 60):
        ours, theirs = chance.normal(0.4, size=runs), chance.normal(size=runs)
        assert signed_ranks(ours, theirs).p == pytest.approx(stats.wilcoxon(ours - theirs).pvalue)
        assert rank_sums(ours, theirs).p == pytest.approx(
            stats.mannwhitneyu(ours, theirs, method="exact").pvalue, rel=0.05
        )


def test_many_ties_are_drawn_the_same_every_time():
    ours, theirs = np.round(np.random.default_rng(1).normal(0.3, size=(2, 20)), 1)
    for test, expected in (
        (signed_ranks, stats.wilcoxon(ours - theirs)),
        (rank_sums, stats.mannwhitneyu(ours, theirs)),
    ):
        assert test(ours, theirs).p == test(ours, theirs).p == pytest.approx(expected.pvalue, rel=0.06)


def test_rounding_makes_no_ranks():
    theirs = np.array([0.1, 0.2, 0.7, 1.1, 2.3])
    assert signed_ranks(theirs + 0.1, theirs).p == signed_ranks(np.ones(5), np.zeros(5)).p
    assert signed_ranks(np.array([0.1 + 0.2]), np.array([0.3])).tendency == 0


@given(st.lists(p_value, min_size=1, max_size=5))
def test_holm_is_the_closure_of_bonferroni(p_values):
    """A comparison is claimed if every group that holds it has a p within α over the group's size (Marcus 1976)."""
    adjusted = holm(p_values)
    everyone = range(len(p_values))
    for index in everyone:
        groups = [g for size in everyone for g in itertools.combinations(everyone, size + 1) if index in g]
        closed = max(min(1.0, len(group) * min(p_values[member] for member in group)) for group in groups)
        assert adjusted[index] == pytest.approx(closed)


def test_better_is_better_whichever_the_direction():
    values = arms_of(first=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], other=[1.1, 2.2, 3.3, 4.4, 5.5, 6.6])
    assert comparisons(results(values, objectives=(SCORE,)))[0].verdict is Claim.BETTER
    worse = comparisons(results(values))[0]
    assert (worse.verdict, worse.p) == (Claim.WORSE, 2 / 2**6)
    assert (worse.differences < 0).all()


def test_a_failed_run_counts_and_an_unfinished_one_takes_its_repeat_out_of_pairs():
    runs = [
        *arms_of(first=[1.0, 2.0, 3.0], other=[0.5, 1.5]),
        ("other", 2, 3.0, "failed"),
        ("first", 3, 9.0),
        ("other", 3, 0.1, "unfinished"),
        ("first", 4, 9.0),
    ]
    paired, unpaired = results(runs), results(runs, paired=False)
    assert list(counted(paired).index) == [0, 1, 2]
    assert comparisons(paired)[0].differences == pytest.approx([0.5, 0.5, 0.0])
    assert len(comparisons(unpaired)[0].ours) == 3
    assert len(comparisons(unpaired)[0].theirs) == 5
    assert math.isnan(outcomes(paired).loc[3, "other"])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_outcome_that_is_no_number_is_none(value):
    sample = results(arms_of(first=[1.0, 2.0], other=[0.5, value]))
    assert list(counted(sample).index) == [0]


def test_nothing_is_claimed_of_nothing():
    assert comparisons(results([], arms=("first",))) == ()
    (nothing,) = comparisons(results([], arms=("first", "other")))
    assert (nothing.p, nothing.holm_p, nothing.verdict) == (1.0, 1.0, Claim.TOO_FEW)
    (alone,) = comparisons(results(arms_of(first=[1.0], other=[0.0])))
    assert (alone.p, alone.verdict) == (1.0, Claim.TOO_FEW)
    (alike,) = comparisons(results(arms_of(first=[1.0] * 9, other=[1.0] * 9)))
    assert (alike.p, alike.tendency, alike.verdict) == (1.0, 0.0, Claim.OPEN)
    (missing,) = comparisons(results(arms_of(first=[1.0] * 9), arms=("first", "other")))
    assert missing.verdict is Claim.TOO_FEW


def test_too_few_is_said_where_no_outcome_could_have_been_claimed():
    few = Landscape((0.0, 50.0, 50.0, 50.0, 50.0), repeats=7).results(0)
    assert {one.verdict for one in comparisons(few)} == {Claim.TOO_FEW}
    enough = Landscape((0.0, 50.0, 50.0, 50.0, 50.0), repeats=8).results(0)
    assert {one.verdict for one in comparisons(enough)} == {Claim.BETTER}
    assert comparisons(enough)[0].smallest_p == 2 / 2**8
