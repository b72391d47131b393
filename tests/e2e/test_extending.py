"""Follows each recipe of docs/extending.md to the letter, on a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "extending.md"
_BLOCK = re.compile(
    r"(?:^`(?P<path>[^`\n]+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)

RECIPES = dict(
    section.split("\n", 1) for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
)


def blocks(recipe: str) -> Iterator[tuple[str, str, str]]:
    for match in _BLOCK.finditer(RECIPES[recipe]):
        yield match["language"], match["path"] or "", match["text"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy what git tracks, or would track."""
    copy = tmp_path / "evo"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    return copy


@pytest.fixture
def environment(tmp_path: Path, copy: Path) -> dict[str, str]:
    """Make an environment in which the copy is installed, beside the packages of this one."""
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (packages / "copy.pth").write_text(f"{copy}\n{sysconfig.get_path('purelib')}\n")
    command = folder / "bin" / "evo"
    command.write_text(f"#!{folder}/bin/python\nfrom evo.commands import main\n\nmain()\n")
    command.chmod(0o755)
    return {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": str(folder)}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_the_recipe_works(recipe: str, copy: Path, environment: dict[str, str]) -> None:
    printed, commands = "", 0
    for language, path, text in blocks(recipe):
        match language:
            case "python":
                assert not (copy / path).exists()
                (copy / path).write_text(text)
            case "diff":
                subprocess.run(["git", "apply", "--unsafe-paths", "-"], cwd=copy, input=text, check=True, text=True)
            case "sh":
                for line in text.splitlines():
                    done = subprocess.run(line.split(), cwd=copy, env=environment, capture_output=True, text=True)
                    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
                    printed, commands = done.stdout, commands + 1
            case _:
                assert language == "text"
                assert {line.strip() for line in text.splitlines()} <= {line.strip() for line in printed.splitlines()}
    assert commands


def test_every_place_has_its_recipe() -> None:
    titles = " ".join(RECIPES)
    assert all(what in titles for what in ("operator", "objective", "evaluator", "line of `evo status`"))
