from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from operator_requests import SEED, SMALL, proposed, request_for

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs.assemble import build_operators
from operators.mutation.constants import ConstantMutation
from operators.mutation.mixed import RandomMutation
from operators.proposal import NoOffspring
from operators.source.constants import Range, find_constants, is_for_another_device, replace_constants

SOURCE = """# Größe
WIDTH: int = 64  # é
DEPTH, HEADS = 2, 4
LR = (3e-4)  # in parentheses
SHIFT = -5
BATCH = 2**19
BETAS = (0.9, 0.95)
STEPS = 1_000
NAME = "größer"; FAST = True
lower = 1
A = B = 3
LIMIT = 1e999
SUM = 1 + 2
TWICE = 1
TWICE = 2
GROWN = 1
GROWN += 1
LIST = [1, 2]
EMPTY = ()
WHO: str
def f():
    ENDLESS = 1e999
"""


SIZES = SMALL.replace("WIDTH = 64", "WIDTH_CPU = 64\nWIDTH_MPS = 128\nWIDTH_CUDA = 512\nWIDTH = WIDTH_CPU")


def test_finds_literals_of_upper_case_names_assigned_once() -> None:
    assert {name: constant.value for name, constant in find_constants(SOURCE).items()} == {
        "WIDTH": 64,
        "LR": 3e-4,
        "SHIFT": -5,
        "BATCH": 2**19,
        "BETAS": (0.9, 0.95),
        "STEPS": 1000,
        "NAME": "größer",
        "FAST": True,
        "lower": 1,
        "DEPTH": 2,
        "HEADS": 4,
    }


def test_position_and_text() -> None:
    constant = find_constants(SOURCE)["FAST"]
    assert constant.line == 9
    assert SOURCE.encode()[constant.start : constant.end] == b"True"
    assert constant.text == "True"


def test_seed_genome_has_its_constants() -> None:
    assert {"MUON_LR", "WARMUP", "MLP_RATIO"} <= set(find_constants(SEED))


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("WIDTH", 128, "WIDTH: int = 128  # é"),
        ("LR", 0.001, "LR = (1e-3)  # in parentheses"),
        ("SHIFT", 7, "SHIFT = 7"),
        ("BATCH", 2**18, "BATCH = 2**18"),
        ("BATCH", 300_000, "BATCH = 300000"),
        ("BETAS", (0.8, 0.95), "BETAS = (0.8, 0.95)"),
        ("BETAS", (0.8,), "BETAS = (0.8,)"),
        ("STEPS", 20_000, "STEPS = 20_000"),
        ("NAME", "é'", """NAME = "é'"; FAST = True"""),
        ("NAME", "\"'", """NAME = '"\\''; FAST = True"""),
        ("FAST", False, 'NAME = "größer"; FAST = False'),
    ],
)
def test_replacing_keeps_the_manner_and_the_rest(name: str, value: object, line: str) -> None:
    before, after = SOURCE.split("\n"), replace_constants(SOURCE, {name: value}).split("\n")
    assert [new for old, new in zip(before, after, strict=True) if old != new] == [line]


def test_unknown_name_and_infinity_are_errors() -> None:
    with pytest.raises(ValueError, match="got MISSING"):
        replace_constants(SOURCE, {"MISSING": 1})
    with pytest.raises(ValueError, match="finite"):
        replace_constants(SOURCE, {"LR": float("nan")})


@pytest.mark.parametrize("seed", range(10))
def test_idea_names_what_the_child_shows(seed: int) -> None:
    proposal = proposed(ConstantMutation(), request_for(SMALL, seed=seed))
    old, new = find_constants(SMALL), find_constants(proposal.source)
    changed = [name for name in old if old[name].value != new[name].value]
    assert 1 <= len(changed) <= 3
    for name in changed:
        assert f"{name} {old[name].text} → {new[name].text}" in proposal.idea


@pytest.mark.parametrize(
    ("name", "own", "others"),
    [
        ("WIDTH_CUDA", ["cuda"], ["cpu", "mps"]),
        ("CPU_THREADS", ["cpu"], ["cuda", "mps"]),
        ("WARMUP_MPS_STEPS", ["mps"], ["cpu", "cuda"]),
        ("BATCH_CPU_OR_MPS", ["cpu", "mps"], ["cuda"]),
        ("CUDAGRAPHS", ["cpu", "cuda", "mps"], []),
        ("WIDTH", ["cpu", "cuda", "mps"], []),
    ],
)
def test_constants_that_name_devices(name: str, own: list[str], others: list[str]) -> None:
    assert [is_for_another_device(name, device) for device in own] == [False] * len(own)
    assert [is_for_another_device(name, device) for device in others] == [True] * len(others)


@pytest.mark.parametrize(("device", "others"), [("cpu", "CUDA|MPS"), ("cuda", "CPU|MPS"), ("mps", "CPU|CUDA")])
@pytest.mark.parametrize("operator", [ConstantMutation, RandomMutation])
def test_constants_of_other_devices_stay(
    operator: type[ConstantMutation | RandomMutation], device: str, others: str
) -> None:
    before = find_constants(SIZES)
    children = [operator(device).mutate(SIZES, random.Random(seed)).source for seed in range(60)]
    changed = {
        name for child in children for name, one in find_constants(child).items() if one.text != before[name].text
    }
    assert changed
    assert not re.search(others, "".join(changed))


def test_a_run_on_the_cpu_changes_no_constant_of_gpus() -> None:
    config = resolve(parse_config({"operators": {"weights": {"constants": 1}}, "workers": {"devices": ["cpu"]}}))
    source = SMALL.replace("WIDTH = 64", "WIDTH = 64\nSIZES_CUDA = (1, 2, 3)\nBATCH_CUDA = 512\nBATCH_MPS = 64")
    operator = build_operators(config).named("constants")
    ideas = [proposed(operator, request_for(source, seed=seed)).idea for seed in range(20)]
    assert not [idea for idea in ideas if "CUDA" in idea or "MPS" in idea]


def test_only_constants_of_other_devices() -> None:
    with pytest.raises(NoOffspring, match="no top-level"):
        ConstantMutation("cpu").mutate("WIDTH_CUDA = 512\n", random.Random(0))


def test_genome_without_numbers() -> None:
    source = 'NAME = "a"\ndef build_model(task): pass\ndef train(model, task): pass\n'
    with pytest.raises(NoOffspring, match="no top-level"):
        proposed(ConstantMutation(), request_for(source))


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ('ACT = "relu"  # one of: relu, gelu, silu', ("relu", "gelu", "silu")),
        ('ACT = "relu"  # the activation, one of "relu" | "tanh"', ("relu", "tanh")),
        ("SIZE = 16  # one of: 8, 16, 32", (8, 16, 32)),
        ("RATE: float = 0.1  # one of: 0.1, 0.3", (0.1, 0.3)),
        ("SIZE = 64  # one of: 8, 16, 32", ()),
        ("SIZE = 8  # one of: 8, 16, many", ()),
        ("SIZE = 8  # one of the sizes that fit", ()),
        ("SIZE = 8\n# one of: 8, 16", ()),
    ],
)
def test_a_comment_may_list_what_a_constant_is_chosen_from(line: str, choices: tuple[object, ...]) -> None:
    (constant,) = find_constants(line + "\n").values()
    assert constant.choices == choices


def test_what_is_chosen_moves_among_its_choices() -> None:
    chance = random.Random(3)
    source = 'ACT = "relu"  # one of: relu, gelu, silu\nSIZE = 16  # one of: 4, 16, 64, 512\n'
    seen: dict[str, set[object]] = {"ACT": set(), "SIZE": set()}
    for _ in range(200):
        changed = find_constants(ConstantMutation().mutate(source, chance).source)
        for name, constant in changed.items():
            seen[name].add(constant.value)
            assert constant.value in constant.choices
    assert seen == {"ACT": {"relu", "gelu", "silu"}, "SIZE": {4, 16, 64, 512}}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("LR = 3e-4  # range: 1e-5 to 1e-2, log", Range(1e-5, 1e-2, is_log=True)),
        ("LR: float = 3e-4  # of AdamW; range: 1e-5 to 1e-2 (logarithmic)", Range(1e-5, 1e-2, is_log=True)),
        ("SHIFT = -0.5  # range: -1 to 0.25.", Range(-1, 0.25)),
        ("ROWS = 2**12  # range: 2**8 to 65_536, log", Range(256, 65_536, is_log=True)),
        ("DEPTH = 4  # range: 1.5 to 8.5 blocks", Range(2, 8)),
        ("LR = 3e-4  # range: 1e-2 to 1e-5, log", None),
        ("LR = 3e-4  # range: 3e-4 to 3e-4", None),
        ("LR = 3e-4  # range: 1e-3 to 1e-2, log", None),
        ("LR = 3e-4  # range: 0 to 1e-2, log", None),
        ("LR = 3e-4  # range: 0 to 1e999", None),
        ("LR = 3e-4  # range: 0 to inf", None),
        ("LR = 3e-4  # range: low to high", None),
        ("LR = 3e-4  # range: ((((( to 1", None),
        ("LR = 3e-4  # in the range of 1e-5 to 1e-2", None),
        ("WIDE = 1  # range: 0 to 1" + "0" * 400, None),
        ("FUSED = True  # range: 0 to 1", None),
        ('ACT = "relu"  # range: 0 to 1', None),
        ("BETAS = (0.9, 0.95)  # range: 0 to 1", None),
        ("SIZE = 8  # one of: 8, 16; range: 1 to 32", Range(1, 32)),
        ("SIZE = 8  # range: 1 to 32; one of: 8, 16", None),
    ],
)
def test_a_comment_may_name_the_range_of_a_number(line: str, expected: Range | None) -> None:
    (constant,) = find_constants(line + "\n").values()
    assert constant.range == expected
    assert not (constant.range and constant.choices)


def test_numbers_stay_in_their_ranges_and_use_them() -> None:
    chance = random.Random(5)
    source = "LR = 1e-3  # range: 1e-4 to 1e-2, log\nDEPTH = 2  # range: 1 to 3\nMIX = 0.0  # range: 0 to 1\n"
    seen: dict[str, set[float]] = {"LR": set(), "DEPTH": set(), "MIX": set()}
    for _ in range(300):
        child = ConstantMutation().mutate(source, chance).source
        assert child != source
        for name, constant in find_constants(child).items():
            assert constant.range is not None
            assert isinstance(constant.value, int | float)
            seen[name].add(constant.value)
        source = child
    assert min(seen["LR"]) < 3e-4
    assert max(seen["LR"]) > 3e-3
    assert seen["DEPTH"] == {1, 2, 3}
    assert min(seen["MIX"]) < 0.1
    assert max(seen["MIX"]) > 0.9


def test_a_bold_mutation_makes_several_changes() -> None:
    usual = request_for(SEED, seed=1)
    assert proposed(ConstantMutation(), usual).idea.count(";") == 0
    bold = proposed(ConstantMutation(), replace(request_for(SEED, seed=1), is_bold=True))
    before, after = find_constants(SEED), find_constants(bold.source)
    assert len([name for name in before if before[name].text != after[name].text]) > 1
    assert bold.idea.count(";") == 2
