import random
from statistics import fmean

import pytest

from evo.scales.budget import Account, Spell, Unit, allotted, first_round_seconds, largest_alone, round_count, shares
from evo.scales.correlation import Agreement
from evo.scales.standing import transfers

UNITS = [Unit(4, 1.0), Unit(4, 10.0)]


def test_all_scales_get_the_same_while_nothing_is_known() -> None:
    assert shares([Account([], 1.0), Account([], 1.0)], 0.05) == pytest.approx([0.5, 0.5])


def test_a_scale_gets_by_what_it_brought_a_second() -> None:
    accounts = [Account([Spell(10, 3.0)], 1.0), Account([Spell(10, 1.0)], 1.0)]
    assert shares(accounts, 0.0) == pytest.approx([0.75, 0.25])
    assert shares(accounts, 0.1) == pytest.approx([0.1 + 0.8 * 0.75, 0.1 + 0.8 * 0.25])


def test_ranks_that_do_not_agree_take_a_small_scale_to_its_floor() -> None:
    accounts = [Account([Spell(10, 3.0)], 0.0), Account([Spell(10, 1.0)], 1.0)]
    assert shares(accounts, 0.05) == pytest.approx([0.05, 0.95])


def test_without_credit_scales_get_by_agreement() -> None:
    accounts = [Account([Spell(10, 0.0)], 0.25), Account([Spell(10, 0.0)], 1.0)]
    assert shares(accounts, 0.0) == pytest.approx([0.2, 0.8])


def test_what_was_long_ago_counts_less() -> None:
    early = Account([Spell(10, 1.0), Spell(10, 0.0)], 1.0)
    late = Account([Spell(10, 0.0), Spell(10, 1.0)], 1.0)
    assert late.credit == pytest.approx(2 * early.credit)


def test_evaluations_are_whole_generations_and_what_is_left_goes_up() -> None:
    assert allotted(100, [0.5, 0.5], UNITS) == [48, 4]
    assert allotted(86, [0.5, 0.5], UNITS) == [40, 4]
    assert allotted(60, [0.5, 0.5], UNITS) == [28, 0]
    assert allotted(60, largest_alone(UNITS), UNITS) == [0, 4]
    assert allotted(-1, [0.5, 0.5], UNITS) == [0, 0]


def test_rounds_are_as_many_as_begin_with_a_generation_at_each_scale() -> None:
    assert first_round_seconds(UNITS, 20) == 100
    assert round_count(450, 10, UNITS, 20) == 4
    assert round_count(450, 3, UNITS, 20) == 3
    assert round_count(99, 3, UNITS, 20) == 0


def test_agreement_is_unknown_before_four_pairs() -> None:
    few = Agreement.of([(1, 1), (2, 2), (3, 3)])
    assert (few.correlation, few.transfer) == (None, 1.0)
    same = Agreement.of([(value, value**3) for value in range(8)])
    assert same.correlation == pytest.approx(1.0)
    assert same.low is not None
    assert 0.9 < same.low < 1
    fewest = Agreement.of([(value, value) for value in range(4)])
    assert fewest.low is not None
    assert fewest.low < 0 < fewest.correlation == 1  # four equal ranks happen by chance, too
    against = Agreement.of([(value, -value) for value in range(8)])
    assert against.transfer == 0.0


def test_intervals_hold_the_correlation() -> None:
    chance = random.Random(1)
    held = 0
    for _ in range(400):
        xs = [chance.gauss(0, 1) for _ in range(20)]
        found = Agreement.of([(x, 0.6 * x + 0.8 * chance.gauss(0, 1)) for x in xs])
        assert found.low is not None
        assert found.high is not None
        held += found.low < 0.582 < found.high  # Spearman's of two normal variables that correlate by 0.6
    assert 0.92 < held / 400 < 0.98


def test_agreement_reaches_the_largest_scale_along_those_between() -> None:
    good, half = Agreement(0.8, 0, 1, 9), Agreement(0.5, 0, 1, 9)
    assert transfers([good, half]) == pytest.approx([0.4, 0.5, 1.0])


@pytest.mark.parametrize(("correlation", "low", "high"), [(0.9, 0.6, 1.0), (0.0, 0.0, 0.2)])
def test_the_budget_moves_to_the_scale_that_pays(correlation: float, low: float, high: float) -> None:
    """With a known correlation a small evaluation at a tenth of the cost brings that share of what a large one does."""
    small_shares = [_small_share(correlation, random.Random(seed)) for seed in range(20)]
    assert low <= fmean(small_shares) <= high


def _small_share(correlation: float, chance: random.Random) -> float:
    """Return the share of the last of four rounds that the small scale gets."""
    spells: tuple[list[Spell], list[Spell]] = ([], [])
    best, parts, pairs = 0.0, [0.5, 0.5], []
    for _ in range(4):
        accounts = [Account(spells[0], Agreement.of(pairs).transfer), Account(spells[1], 1.0)]
        parts = shares(accounts, 0.05)
        for number, count in enumerate(allotted(400, parts, UNITS)):
            draws = [(chance.gauss(0, 1), chance.gauss(0, 1)) for _ in range(count)]
            small = [(correlation * large + (1 - correlation**2) ** 0.5 * own, large) for large, own in draws]
            found = max(small)[1] if number == 0 and small else max((large for _, large in small), default=0.0)
            pairs += small[:8] if number == 0 else []
            spells[number].append(Spell(count * UNITS[number].seconds, max(0.0, found - best)))
            best = max(best, found)
    return parts[0]
