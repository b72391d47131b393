"""The archive against brute force: whatever is told again, every cell has the best individual of those in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from populations.fitness import Fitness
from populations.individual import Individual
from populations.map_elites import MapElites
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

BPB = LANGUAGE_MODEL_OBJECTIVES["val_bpb"]
CELLS = st.tuples(st.integers(0, 2), st.sampled_from(["AdamW", "SGD"]))
TOLD = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4), CELLS), max_size=40)


@given(TOLD)
def test_elites_are_the_best_of_their_cells(result_number: list[tuple[int, int, tuple[int | str, ...]]]) -> None:
    archive, everyone, cells = MapElites(), dict[int, Individual](), dict[int, tuple[int | str, ...]]()
    for seed, (number, bpb, cell) in enumerate(result_number):
        one = everyone.setdefault(number, Individual(number, "", (), "seed", "", Fitness([BPB])))
        one.tell(seed, {"val_bpb": float(bpb)})  # evaluated again, its mean and its cell may move
        cells[number] = cell
        archive.update(number, one.fitness, cell)
        best = {
            cell: min(
                (other for other in cells if cells[other] == cell),
                key=lambda other: (everyone[other].fitness.values, other),
            )
            for cell in set(cells.values())
        }
        assert archive.elites() == best
        assert list(archive.elites().values()) == sorted(best.values())


def test_a_failed_individual_has_no_cell() -> None:
    archive = MapElites()
    with pytest.raises(ValueError, match="individual 7 has no OK evaluation"):
        archive.update(7, Fitness([BPB]), (1,))
    assert archive.elites() == {}
