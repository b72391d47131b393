"""Where an individual belongs in the archive."""

from __future__ import annotations

from functools import partial

import pytest
from operator_requests import SEED, SMALL

from operators.source.constants import is_for_another_device
from populations.descriptors import Described, Descriptors, depth, optimizers

ZERO = Described(SMALL, 0, {"parameters": 1e6, "loss": -2.0, "nothing": 0.0})


def place(name: str, source: str = SMALL, branch: int = 4, bins: int = 7, **measured: float) -> int | str:
    (where,) = Descriptors([name], bins).cell(Described(source, branch, measured), ZERO)
    return where


@pytest.mark.parametrize(
    ("parameters", "cell"),
    [(1e6, 0), (1.3e6, 0), (0.75e6, 0), (2e6, 1), (1.5e6, 1), (0.5e6, -1), (8e6, 3), (1e12, 3), (1.0, -3), (0.0, -3)],
)
def test_numbers_are_placed_by_doublings_of_generation_0(parameters: float, cell: int) -> None:
    assert place("parameters", parameters=parameters) == cell


def test_an_even_number_of_bins_has_one_more_below() -> None:
    assert [place("parameters", bins=2, parameters=value) for value in (1.0, 1e6, 1e12)] == [-1, 0, 0]


def test_numbers_that_have_no_doublings() -> None:
    assert place("loss", loss=-4.0) == 1
    assert place("loss", loss=4.0) == -3
    assert place("nothing", nothing=0.0) == 0
    assert place("nothing", nothing=5.0) == -3
    assert place("parameters") == "None"


def test_constants_by_name() -> None:
    assert place("WIDTH", SMALL.replace("WIDTH = 64", "WIDTH = 256")) == 2
    assert place("COMPILE") == "False"
    assert place("BETAS") == "(0.9, 0.95)"
    assert place("MISSING") == "None"
    assert place("WIDTH", SMALL.replace("WIDTH = 64", f"WIDTH = 0x1{'0' * 5000}")) == -3
    assert place("WIDTH", f"{SMALL}ODD = {{[1]: 2}}\nDEEP = {'[' * 90}{']' * 90}\n") == 0


def test_distance_divides_evenly_and_branch_is_itself() -> None:
    assert place("distance") == 0
    assert place("distance", "print(1)\n") == 6
    assert place("branch") == 4


def test_depth_is_a_constant_of_this_device_or_counted() -> None:
    assert depth(SMALL) == 2
    assert depth(SEED, partial(is_for_another_device, device="cpu")) == 1
    assert depth(SEED, partial(is_for_another_device, device="cuda")) == 8
    assert depth("N_LAYER = 12\nLAYER_LR = 30\nDEPTH_GROWTH = 99\n") == 12
    blocks = "class Base(nn.Module): ...\nclass Block(Base): ...\nnet = [Block(), Block(), nn.ReLU()]\n"
    assert depth(blocks) == 2
    assert depth("x = 1\n") == 1


def test_optimizers_are_torchs_and_the_programs_own() -> None:
    assert optimizers(SEED) == ("AdamW", "Muon")
    assert optimizers("import torch\no = torch.optim.SGD([])\n") == ("SGD",)
    assert optimizers("class Mine(AdamW): ...\nclass More(Mine): ...\no = More([])\n") == ("More",)
    assert optimizers("x = Adam  # mentioned, not made\n") == ()
