"""A script's supervisor starts with every run and test of a script: it loads nothing that only a corpus needs."""

import subprocess
import sys


def test_it_imports_neither_numpy_nor_torch() -> None:
    source = "import sys, trainer.script.supervisor; print(*{'numpy', 'torch'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True).stdout == "\n"
