"""What pages name in passing: every command and option in code is one of the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from evo.commands import app

ROOT = Path(__file__).parents[4]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *(ROOT / "evo").rglob("*.md")]
GROUP: Any = typer.main.get_command(app)
OPTIONS = {name: {o for one in command.params for o in one.opts} for name, command in GROUP.commands.items()}
CODE = re.compile(r"`([^`\n]+)`|^((?:- )?evo .*)$", re.MULTILINE)
COMMAND = re.compile(r"(?<!\S)evo ([a-z]+)(?!\S)([^;#\"']*)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_commands_and_options_that_a_page_names_exist(page: Path) -> None:
    named = [
        (name, option)
        for code in CODE.findall(page.read_text(encoding="utf-8"))
        for name, rest in COMMAND.findall("".join(code))
        for option in ("", *re.findall(r"(?<!\S)--[a-z-]+", rest))
    ]
    assert [one for one in named if one[0] not in OPTIONS or one[1] not in OPTIONS[one[0]] | {""}] == []
