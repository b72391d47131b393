import re
from pathlib import Path

import pytest
from command_line import installed_evo

ROOT = Path(__file__).parents[2]


def commands() -> list[str]:
    listing = installed_evo("--help").stdout.partition("Commands:\n")[2]
    return re.findall(r"^  ([a-z]+) ", listing, re.MULTILINE)


@pytest.fixture(scope="module")
def help_texts() -> dict[str, str]:
    return {name: installed_evo(name, "--help").stdout for name in commands()}


def test_every_command_that_is_promised_is_there() -> None:
    assert {"run", "resume", "prepare", "status", "best", "show", "diff", "lineage", "pareto"} <= set(commands())
    assert {"init", "export", "report", "check", "doctor", "audit", "apply", "ablate", "promote"} <= set(commands())


def test_every_command_has_an_example_of_itself(help_texts: dict[str, str]) -> None:
    for name, text in help_texts.items():
        assert re.search(rf"^  Example:\n    evo {name}\b", text, re.MULTILINE), name


def test_every_command_fits_one_line_of_the_listing() -> None:
    assert "..." not in installed_evo("--help").stdout.partition("Commands:")[2]


def test_the_version_is_printed() -> None:
    assert re.fullmatch(r"evo \d+\.\d+\.\d+\S*\n", installed_evo("--version").stdout)


@pytest.mark.parametrize("arguments", [["statsu"], ["status", "--jsn"], ["run", "--pop", "many"], ["run", "--pop"]])
def test_usage_errors_are_one_message_and_exit_2(arguments: list[str]) -> None:
    done = installed_evo(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("Error: ") == 1
    assert "Traceback" not in done.stderr


def test_misspelt_names_are_put_right() -> None:
    assert "--json" in installed_evo("status", "--jsn").stderr
    assert "status" in installed_evo("statsu").stderr
