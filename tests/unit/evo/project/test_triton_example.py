"""The example that needs a GPU, checked for its form where there is none, and run where there is one."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from evo.config.reading import load_config
from evo.project.example import copy_example
from evo.runs.generation_zero import read_generation_zero
from operators.gate import SourceGate, script_contract
from operators.source.constants import find_constants


def test_its_kernel_passes_the_gate_and_has_constants_to_tune(tmp_path: Path) -> None:
    copy_example("triton", tmp_path)
    config = load_config(tmp_path / "evo.toml")
    source = read_generation_zero(config)
    assert config.script is not None
    SourceGate(script_contract(config.script.genome, lambda: source), lambda _: None).check(source)
    assert {*find_constants(source)} >= {"WARPS", "STAGES", "ROWS"}


def test_its_bench_measures_on_a_gpu_and_says_what_is_missing_without(tmp_path: Path) -> None:
    copy_example("triton", tmp_path)
    done = subprocess.run([sys.executable, "bench.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode:
        assert done.stderr.startswith("This example needs ")
        assert done.stderr.count("\n") == 1
        assert not (importlib.util.find_spec("triton") and _has_gpu())
    else:
        assert re.fullmatch(r"seconds: \S+\nmax_error: \S+\n", done.stdout)


def _has_gpu() -> bool:
    code = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
