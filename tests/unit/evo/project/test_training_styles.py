"""Training scripts in many styles: what `evo init` protects of each, judged by edits of it at the gate."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from evo.config.reading import load_config
from evo.project.examine import examine
from evo.project.writing import CONFIG, config_text
from evo.runs.generation_zero import protection_of
from operators.gate import SourceGate, script_contract
from operators.proposal import Refused

STYLES = Path(__file__).parents[3] / "data" / "training_styles"


@cache
def gate(style: str) -> SourceGate:
    source = (STYLES / f"{style}.py").read_text(encoding="utf-8")
    with TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "train.py").write_text(source, encoding="utf-8")
        (folder / CONFIG).write_text(config_text(examine(folder), folder, ""), encoding="utf-8")
        protection = protection_of(load_config(folder / CONFIG), source)
    return SourceGate(script_contract(("train.py",)), lambda _: None, protection=lambda: protection)


EDITS = tomllib.loads((STYLES / "edits.toml").read_text(encoding="utf-8"))


def edited(style: str, find: str, put: str) -> str:
    source = (STYLES / f"{style}.py").read_text(encoding="utf-8")
    assert find in source
    return source.replace(find, put, 1)


@pytest.mark.parametrize(("style", "find", "put"), EDITS["cheats"])
def test_a_cheat_is_refused(style: str, find: str, put: str) -> None:
    with pytest.raises(Refused):
        gate(style).check(edited(style, find, put))


@pytest.mark.parametrize(("style", "find", "put"), EDITS["honest"])
def test_an_honest_change_passes(style: str, find: str, put: str) -> None:
    gate(style).check(edited(style, find, put))
