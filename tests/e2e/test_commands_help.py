import re
import subprocess
from pathlib import Path

import pytest
from command_line import EVO, environment, evo, installed_evo
from typer.testing import CliRunner

from evo.commands import app

ROOT = Path(__file__).parents[2]


def commands() -> list[str]:
    listing = evo("--help").stdout.partition("Commands:\n")[2]
    return re.findall(r"^  ([a-z]+) ", listing, re.MULTILINE)


def test_every_command_that_is_promised_is_there() -> None:
    assert {"run", "resume", "prepare", "status", "best", "show", "diff", "lineage", "pareto"} <= set(commands())
    assert {"init", "export", "report", "check", "doctor", "audit", "apply", "ablate", "promote"} <= set(commands())


def test_every_command_has_an_example_of_itself() -> None:
    for name in commands():
        text = CliRunner().invoke(app, [name, "--help"]).stdout
        assert re.search(rf"^  Example:\n    evo {name}\b", text, re.MULTILINE), name


def test_every_command_fits_one_line_of_the_listing() -> None:
    assert "..." not in evo("--help").stdout.partition("Commands:")[2]


def test_the_version_is_printed() -> None:
    assert re.fullmatch(r"evo \d+\.\d+\.\d+\S*\n", installed_evo("--version").stdout)


@pytest.mark.parametrize("arguments", [["statsu"], ["status", "--jsn"], ["run", "--pop", "many"], ["run", "--pop"]])
def test_usage_errors_are_one_message_and_exit_2(arguments: list[str]) -> None:
    done = evo(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("Error: ") == 1
    assert "Traceback" not in done.stderr


def test_misspelt_names_are_put_right() -> None:
    assert "--json" in evo("status", "--jsn").stderr
    assert "status" in evo("statsu").stderr


@pytest.mark.parametrize(
    ("shell", "asked"),
    [
        ("bash", {"COMP_WORDS": "evo stat", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "evo stat"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "evo stat", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_shells_complete_the_commands(shell: str, asked: dict[str, str]) -> None:
    env = environment(_EVO_COMPLETE=f"complete_{shell}", **asked)
    done = subprocess.run([EVO], env=env, capture_output=True, text=True, check=False)
    assert "status" in done.stdout
    assert "resume" not in done.stdout


def test_the_command_has_a_second_name() -> None:
    done = subprocess.run([EVO.with_name("evo-train"), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == installed_evo("--version").stdout
