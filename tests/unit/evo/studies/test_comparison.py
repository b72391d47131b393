import math
import random
from statistics import stdev

import pytest

from evo.standings.paired_noise import PairedNoise
from evo.studies.comparison import PairedGain, Sample, gain_over, noise_between, noise_of_replicates
from evo.studies.measurement_cache import Measurement
from trainer.evaluation import Status
from trainer.objectives import Constraint, Direction, Objective

LOSS = Objective("loss", Direction.MINIMIZE, "nats")
SCORE = Objective("score", Direction.MAXIMIZE, "points")
FAILED = Measurement(Status.CRASHED, reason="ValueError: no")


def sample(*values: float | None, name: str = "loss") -> Sample:
    """Return a sample of seeds 0, 1, 2 …; None is a crash."""
    return Sample(
        {seed: FAILED if value is None else Measurement(Status.OK, {name: value}) for seed, value in enumerate(values)}
    )


def test_a_gain_is_positive_where_it_is_better() -> None:
    paired_noise = PairedNoise(0.1, 20)
    assert gain_over(sample(1.0, 1.0), sample(1.5, 1.5), LOSS, paired_noise).mean == 0.5
    better, base = sample(3.0, 3.0, name="score"), sample(1.0, 2.0, name="score")
    assert gain_over(better, base, SCORE, paired_noise).mean == 1.5


def test_only_seeds_that_both_ended_ok_with_are_compared() -> None:
    gain = gain_over(sample(1.0, None, 3.0), sample(None, 1.0, 5.0), LOSS, PairedNoise(0.2, 30))
    assert (gain.mean, gain.seeds, gain.noise) == (2.0, 1, 0.2)
    nothing = gain_over(sample(1.0, None), sample(None, 1.0), LOSS, PairedNoise(0.2, 30))
    assert nothing == PairedGain(None, None, None, 0)
    assert not nothing.is_real
    assert not nothing.is_loss


def test_what_a_seed_does_to_all_programs_is_no_noise() -> None:
    zero, others = sample(1.0, 5.0, 9.0), [sample(0.5, 4.5, 8.5), sample(2.0, 6.0, 10.0)]
    paired_noise = noise_between(zero, others, LOSS)
    assert paired_noise.sigma == pytest.approx(0, abs=1e-12)
    assert paired_noise.degrees == 4
    assert gain_over(others[0], zero, LOSS, paired_noise).is_real
    assert gain_over(others[1], zero, LOSS, paired_noise).is_loss


def test_two_programs_vary_as_their_differences_do() -> None:
    paired_noise = noise_between(sample(1.0, 2.0, 3.5), [sample(0.8, 2.1, 3.0)], LOSS)
    assert paired_noise.sigma == pytest.approx(stdev([0.2, -0.1, 0.5]))
    assert paired_noise.degrees == 2


def test_the_noise_is_that_of_a_difference() -> None:
    numbers = random.Random(0)
    found = []
    for _ in range(300):
        seeds = [numbers.gauss(0, 5) for _ in range(2)]
        rows = [sample(*(program + seed + numbers.gauss(0, 0.1) for seed in seeds)) for program in range(6)]
        found.append(noise_between(rows[0], rows[1:], LOSS).sigma ** 2)
    assert math.sqrt(sum(found) / len(found)) == pytest.approx(0.1 * math.sqrt(2), rel=0.06)


def test_a_program_that_varies_far_more_than_the_others_has_its_own_noise() -> None:
    numbers = random.Random(1)
    steady = [sample(*(1 + numbers.gauss(0, 0.01) for _ in range(3))) for _ in range(6)]
    unstable = sample(1.0, 9.0, 4.0)
    paired_noise = noise_between(steady[0], [*steady[1:], unstable], LOSS)
    assert paired_noise.sigma < 0.05
    gain = gain_over(unstable, steady[0], LOSS, paired_noise)
    assert gain.noise is not None
    assert gain.noise > 1
    assert not gain.is_loss


def test_without_a_second_seed_nothing_is_known_of_the_noise() -> None:
    paired_noise = noise_between(sample(1.0), [sample(0.5)], LOSS)
    assert paired_noise.degrees == 0
    gain = gain_over(sample(0.5), sample(1.0), LOSS, paired_noise)
    assert (gain.mean, gain.noise, gain.margin) == (0.5, None, None)
    assert not gain.is_real


def test_seeds_that_change_nothing_tell_nothing_of_the_noise() -> None:
    zero, other = sample(1.0, 1.0), sample(0.5, 0.5)
    for paired_noise in (noise_between(zero, [other], LOSS), noise_of_replicates(zero, LOSS)):
        assert not gain_over(other, zero, LOSS, paired_noise).is_real
    assert gain_over(other, zero, LOSS, PairedNoise.none()).is_real


def test_failures_leave_what_is_complete() -> None:
    paired_noise = noise_between(sample(1.0, 2.0), [sample(None, 1.0), sample(0.5, 1.6)], LOSS)
    assert paired_noise.degrees == 1
    assert sample(None, 1.0).failures == "1 crashed"
    assert sample(None, None).has_failed
    assert sample(None, None).reason == "ValueError: no"
    assert not sample(None, 1.0).has_failed
    assert not Sample({}).has_failed


def test_few_degrees_of_freedom_ask_for_more() -> None:
    quantiles = [PairedNoise(1.0, degrees).quantile for degrees in (1, 2, 5, 10, 11, 20, 1000)]
    assert quantiles == sorted(quantiles, reverse=True)
    assert quantiles[0] == 12.71
    assert quantiles[4] == pytest.approx(2.20, abs=0.01)
    assert quantiles[-1] == pytest.approx(1.96, abs=0.01)


def test_the_order_of_sums_is_no_gain() -> None:
    zero, other = sample(0.1 + 0.2, 0.3), sample(0.3, 0.3)
    gain = gain_over(other, zero, LOSS, PairedNoise.none())
    assert gain.mean != 0
    assert not gain.is_real


def test_broken_constraints_are_named() -> None:
    bounds = [Constraint.parse("loss < 2"), Constraint.parse("loss > 0")]
    assert sample(3.0, 4.0).broken(bounds) == "breaks loss < 2"
    assert sample(1.0, 1.5).broken(bounds) == ""
    assert sample(None).broken(bounds) == ""
