"""The short form of `experiments.planted_truth`: what is there is found as promised, what is not is not claimed."""

from scipy import stats

from evo.compare.statistics.rank_tests import ALPHA
from experiments.landscape import Landscape
from experiments.planted_truth import NULLS, claims, finds, planted

FOUND = 60


def test_of_200_experiments_without_a_difference_no_more_than_the_nominal_rate_claim_one():
    """At a true rate of 5%, more than 15 of 200 come up in fewer than 5 of 100 trials; the seeds are fixed."""
    most = stats.binom.ppf(0.95, NULLS, ALPHA)
    assert most == 15
    landscape = Landscape((0.0,) * 5, repeats=10)
    assert sum(any(claims(landscape, seed)) for seed in range(NULLS)) <= most


def test_a_difference_of_two_sigma_is_found_with_the_promised_power():
    (case,) = [one for one in planted() if (one.name, one.runs, one.paired) == ("2 σ of a run", 10, True)]
    assert case.promised >= 0.8
    found = sum(finds(case.landscape, seed) for seed in range(FOUND))
    # 5% of honest trials fall below this bound.
    assert found >= stats.binom.ppf(0.05, FOUND, case.promised)
