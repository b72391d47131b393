import numpy as np
import pytest
from compare_samples import LOSS, SCORE, arms_of, results
from hypothesis import given
from hypothesis import strategies as st
from property_cases import cases

from evo.compare.statistics.attainment import LEVELS, attainment_surface, hypervolumes

PAIR = (LOSS, SCORE)
fronts = st.lists(
    st.lists(st.tuples(st.integers(0, 4).map(float), st.integers(0, 4).map(float)), max_size=4), min_size=1, max_size=5
)


def sample(fronts_by_arm, **states):
    """Return results in which every arm has one run for every front."""
    runs = [(arm, repeat, 1.0) for arm, fronts in fronts_by_arm.items() for repeat in range(len(fronts))]
    points = [
        (arm, repeat, number, *point)
        for arm, fronts in fronts_by_arm.items()
        for repeat, front in enumerate(fronts)
        for number, point in enumerate(front)
    ]
    return results(runs, objectives=PAIR, points=points, **states)


def attains(front, goal):
    return any(loss <= goal[0] and score >= goal[1] for loss, score in front)


@cases(25)
@given(fronts)
def test_a_surface_attains_what_so_many_runs_attain(runs):
    surfaces = attainment_surface(sample({"a": runs}), "a", PAIR)
    for level in LEVELS:
        for goal in np.ndindex(5, 5):
            share = np.mean([attains(front, goal) for front in runs])
            assert attains(surfaces[level], goal) == (share >= level / 100)


def test_the_hypervolume_is_the_share_of_the_box_that_a_run_dominates():
    # The range of both objectives is 10, so the reference lies at loss 11 and score -1.
    found = hypervolumes(sample({"a": [[(0.0, 10.0)], [(0.0, 0.0), (10.0, 10.0)], []]}))
    assert found["hypervolume"].tolist() == pytest.approx([1.0, (11 * 1 + 1 * 11 - 1) / 121, 0.0])
    assert found["repeat"].tolist() == [0, 1, 2]


def test_without_fronts_there_is_nothing_to_attain():
    assert hypervolumes(sample({"a": [[]]})).empty
    assert all(len(surface) == 0 for surface in attainment_surface(sample({"a": [[]]}), "a", PAIR).values())
    half = results(arms_of(a=[1.0]), objectives=PAIR, points=[("a", 0, 0, 1.0, np.nan)])
    assert hypervolumes(half).empty
