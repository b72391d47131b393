"""The division of a budget."""

from hypothesis import given
from hypothesis import strategies as st

from evo.config import Config, parse_config
from evo.plan import Confirmed, Plan, make_plan


def plan(pop: int = 16, gens: int = 40, share: float = 0.06, replicates: int = 3, **search: object) -> Plan:
    data = {
        "search": {"pop": pop, "gens": gens, **search},
        "noise": {"confirm_share": share, "baseline_replicates": replicates},
    }
    return make_plan(parse_config(data, "test"))


def test_the_default_budget() -> None:
    made = make_plan(Config())
    assert (made.evaluations, made.baseline) == (640, 3)
    assert (made.finalists, made.confirmation_seeds, made.confirmations) == (5, 6, 34)
    assert made.search_end == 640 - 34


def test_a_tiny_budget_is_spent_on_the_search() -> None:
    made = plan(pop=2, gens=1)
    assert (made.baseline, made.confirmations, made.search_end) == (1, 0, 2)


def test_only_text_confirms_on_text() -> None:
    assert plan(objectives=("val_bpb", "tokens_per_second")).confirmed is Confirmed.ON_TEXT
    speed = plan(objectives=("tokens_per_second", "val_bpb"))
    assert speed.confirmed is Confirmed.WITH_SEEDS
    assert speed.confirmations == plan(objectives=("val_bpb", "tokens_per_second")).confirmations > 0


def test_a_front_has_as_many_finalists_as_get_two_seeds() -> None:
    made = plan(objectives=("val_bpb", "tokens_per_second"))
    assert (made.finalists, made.confirmation_seeds, made.confirmations) == (19, 2, 38)
    # A small front gets more seeds each, up to those of the finalists for one objective.
    assert [made.seeds_of(members) for members in (19, 18, 12, 8, 5, 1)] == [2, 2, 3, 4, 6, 6]
    assert plan().seeds_of(1) == plan().confirmation_seeds


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
    assert made.confirmations <= max(2, round(share * made.evaluations))
    assert (made.finalists == 0) == (made.confirmation_seeds == 0)
    if made.finalists:
        found = data.draw(st.integers(1, made.finalists))
        seeds = made.seeds_of(found)
        assert seeds >= made.confirmation_seeds
        assert found * seeds + max(0, seeds - (made.baseline - 1)) <= made.confirmations
