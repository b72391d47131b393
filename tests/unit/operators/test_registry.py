"""The table of operators: what reading it loads, and that the README's table names each of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from operators.registry import OPERATORS, Setup, default_weights
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

_LOADED = "import sys, operators.registry; print([name in sys.modules for name in ('libcst', 'merge3', 'anthropic')])"
_EVERYTHING = """
import importlib, pkgutil, sys, operators
for module in pkgutil.walk_packages(operators.__path__, "operators."):
    importlib.import_module(module.name)
print('torch' in sys.modules)
"""


def output(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_reading_the_table_loads_no_parser_and_no_client() -> None:
    assert output(_LOADED) == "[False, False, False]"


def test_operators_never_load_torch() -> None:
    assert output(_EVERYTHING) == "False"


def test_default_weights() -> None:
    assert default_weights(with_llm=False) == {"random": 0.3, "uniform": 0.1, "merge": 0.1, "tuning": 0.5}
    beside = {"random": 0.1, "merge": 0.05, "tuning": 0.25}
    assert default_weights(with_llm=True) == {"llm_mutation": 0.5, "llm_crossover": 0.1} | beside


@pytest.mark.parametrize("name", [name for name, entry in OPERATORS.items() if not entry.needs_llm])
def test_the_table_tells_how_many_parents_an_operator_needs(name: str) -> None:

    def refuse() -> NoReturn:
        pytest.fail("not asked")

    setup = Setup("cpu", LANGUAGE_MODEL_OBJECTIVES["val_bpb"], "trust_region", (), refuse, refuse)
    assert {operator.arity for operator in OPERATORS[name].make(setup)} == {OPERATORS[name].arity}


@pytest.mark.parametrize("name", OPERATORS)
def test_the_guide_names_every_operator(name: str, request: pytest.FixtureRequest) -> None:
    lines = Path(request.config.rootpath, "docs/operators.md").read_text(encoding="utf-8").splitlines()
    table = lines[lines.index("| operator | what it does |") :]
    assert any(f"`{name}`" in line for line in table[: table.index("")])
