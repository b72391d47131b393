"""Results whose truth is known: what is there is found as often as promised, and what is not is not claimed."""

import math

import numpy as np
from scipy import stats

from evo.compare.power import power
from evo.compare.statistics import ALPHA, Verdict, comparisons
from experiments.landscape import Landscape

NULLS = 200
FOUND = 60


def claims(landscape, seed):
    return [one.verdict in (Verdict.BETTER, Verdict.WORSE) for one in comparisons(landscape.results(seed))]


def test_of_200_experiments_without_a_difference_no_more_than_the_nominal_rate_claim_one():
    """At a true rate of 5%, more than 15 of 200 come up in fewer than 5 of 100 trials; the seeds are fixed."""
    most = stats.binom.ppf(0.95, NULLS, ALPHA)
    assert most == 15
    landscape = Landscape((0.0,) * 5, repeats=10)
    assert sum(any(claims(landscape, seed)) for seed in range(NULLS)) <= most


def test_a_difference_of_two_sigma_is_found_with_the_promised_power():
    """Two sigma of a run are 1.41 of a paired difference, since both runs have luck of their own."""
    promised = power(math.sqrt(2), 10, ALPHA / 4, paired=True)
    assert promised >= 0.8
    landscape = Landscape((0.0, 2.0, 0.0, 0.0, 0.0), repeats=10)
    found = [claims(landscape, seed)[0] for seed in range(FOUND)]
    # Holm only ever finds more than the strictest level does; 5% of honest trials fall below this bound.
    assert np.sum(found) >= stats.binom.ppf(0.05, FOUND, promised)
