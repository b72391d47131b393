from __future__ import annotations

import subprocess
import sys

import pytest

import operators

_LOADED = "import sys, operators, operators.proposal; print('libcst' in sys.modules, 'merge3' in sys.modules)"
_EVERYTHING = "import sys; from operators import *; print('torch' in sys.modules)"


def output(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_package_loads_no_parser() -> None:
    assert output(_LOADED) == "False False"


def test_operators_never_load_torch() -> None:
    assert output(_EVERYTHING) == "False"


@pytest.mark.parametrize("name", operators.__all__)
def test_public_names_exist(name: str) -> None:
    assert getattr(operators, name).__name__ == name


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        operators.nothing  # noqa: B018 - the access is what is tested
