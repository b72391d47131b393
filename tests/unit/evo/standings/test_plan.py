"""The division of a budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.config.config import Config
from evo.config.reading import parse_config
from evo.standings.plan import Confirmed, Plan, Round, make_plan


def plan(pop: int = 16, gens: int = 40, share: float = 0.085, replicates: int = 3, **search: object) -> Plan:
    data = {
        "search": {"pop": pop, "gens": gens, **search},
        "noise": {"confirm_fraction": share, "baseline_replicates": replicates},
    }
    return make_plan(parse_config(data, "test"))


def test_the_default_budget() -> None:
    made = make_plan(Config())
    assert (made.evaluations, made.baseline) == (640, 3)
    # Of finalists 6 × 4, 3 × 4 and 2 × 4 evaluations; and 10 of generation 0, which has run with two of 12 seeds.
    assert made.rounds == (Round(6, 4), Round(3, 8), Round(2, 12))
    assert (made.finalists, made.confirmation_seeds, made.confirmations) == (6, 12, 54)
    assert made.search_end == 640 - 54


@pytest.mark.parametrize(
    ("gens", "rounds"),
    [
        (1, (Round(2, 2),)),
        (2, (Round(2, 3),)),
        (5, (Round(3, 3),)),
        (10, (Round(4, 2), Round(2, 4))),
        (20, (Round(4, 3), Round(2, 7))),
        (28, (Round(5, 3), Round(3, 6), Round(2, 9))),
    ],
)
def test_the_fewer_evaluations_the_fewer_finalists_race(gens: int, rounds: tuple[Round, ...]) -> None:
    assert plan(gens=gens).rounds == rounds


def test_a_tiny_budget_is_spent_on_the_search() -> None:
    made = plan(pop=2, gens=1)
    assert (made.baseline, made.confirmations, made.search_end) == (1, 0, 2)


def test_only_text_confirms_on_text() -> None:
    assert plan(objectives=("val_bpb", "tokens_per_second")).confirmed is Confirmed.ON_TEXT
    speed = plan(objectives=("tokens_per_second", "val_bpb"))
    assert speed.confirmed is Confirmed.WITH_SEEDS
    assert speed.confirmations == plan(objectives=("val_bpb", "tokens_per_second")).confirmations > 0


def test_a_small_budget_gives_up_to_a_quarter_for_ten_confirmations() -> None:
    shares = {gens: plan(pop=2, gens=gens).confirmations / (2 * gens) for gens in (10, 20, 30, 60)}
    assert shares == {10: 4 / 20, 20: 10 / 40, 30: 10 / 60, 60: 10 / 120}
    assert plan(pop=2, gens=20, share=0).confirmations == 0
    assert plan(pop=2, gens=20, share=0.5).confirmations > 10


def test_a_front_has_as_many_finalists_as_get_three_seeds() -> None:
    made = plan(objectives=("val_bpb", "tokens_per_second"))
    assert (made.finalists, made.confirmation_seeds, made.confirmations) == (17, 3, 52)
    # A small front gets more seeds each, up to those of the finalists for one objective.
    assert [made.rounds_of(members) for members in (17, 12, 8, 5, 1)] == [
        (Round(17, 3),),
        (Round(12, 4),),
        (Round(8, 6),),
        (Round(5, 9),),
        (Round(1, 9),),
    ]
    small = plan(pop=8, gens=8, objectives=("val_bpb", "tokens_per_second"))
    assert [small.rounds_of(members) for members in (3, 2, 1)] == [(Round(3, 3),), (Round(2, 4),), (Round(1, 4),)]
    assert plan().rounds_of(1) == plan().rounds


def test_training_seeds_are_paired_and_of_one_run() -> None:
    assert [plan(seed=7).training_seed(index) for index in range(3)] == [7000, 7001, 7002]


@given(st.integers(2, 40), st.integers(1, 60), st.floats(0, 0.99), st.integers(1, 8), st.booleans(), st.data())
def test_every_part_fits_into_the_budget(
    pop: int, gens: int, share: float, replicates: int, several: bool, data: st.DataObject
) -> None:
    made = plan(pop, gens, share, replicates, objectives=("val_bpb", "tokens_per_second")[: 1 + several])
    assert made.evaluations == pop * gens
    assert 1 <= made.baseline <= replicates
    assert made.baseline < made.search_end <= made.evaluations
    assert made.confirmations <= max(2, min(10, made.evaluations // 4), round(share * made.evaluations))
    assert (made.finalists == 0) == (made.confirmation_seeds == 0)
    widths, seeds = [one.finalists for one in made.rounds], [one.seeds for one in made.rounds]
    assert widths == sorted(widths, reverse=True)
    assert seeds == sorted(set(seeds))
    if several and made.finalists:
        (one,) = made.rounds_of(found := data.draw(st.integers(1, made.finalists)))
        assert one.seeds >= made.confirmation_seeds
        assert found * one.seeds + max(0, one.seeds - (made.baseline - 1)) <= made.confirmations
