"""The docstring of every folder names each of its files, and no other: a newcomer reads it and knows where to look."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ("cheats", "honest", "scripts", "examples")
"""Folders of programs that are read and not imported."""
ROOMS = sorted(
    init.parent
    for package in ("evo", "trainer", "operators", "populations")
    for init in (ROOT / package).rglob("__init__.py")
    if not set(DATA) & {*init.relative_to(ROOT).parts}
)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_the_docstring_of_a_folder_names_its_files(room: Path) -> None:
    docstring = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    files = {path.stem for path in room.glob("[!_]*.py")} | {path.parent.name for path in room.glob("*/__init__.py")}
    assert files - set(DATA) <= set(re.findall(r"\w+", docstring))
    listed = re.findall(r"^ *(\w+)/?  ", docstring, re.MULTILINE)
    assert len(listed) == len({*listed})
    assert [name for name in listed if name not in files and not any(room.glob(f"{name}*"))] == []
