"""What a language model is told of the data and the machine of a run."""

from __future__ import annotations

from pathlib import Path

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs.facts import gather_facts
from evo.runs.materials import ScriptFiles


def test_the_environment_of_a_script_is_read_and_not_run(tmp_path: Path) -> None:
    metadata = tmp_path / ".venv/lib/python3.12/site-packages/numpy-2.4.6.dist-info/METADATA"
    program = tmp_path / ".venv/bin/python"
    for file in (metadata, program):
        file.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 2.4.6\n")
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    objectives = {"loss": {"direction": "minimize", "pattern": "(.*)"}}
    task = {"kind": "script", "root": str(tmp_path), "genome": ["train.py"], "objectives": objectives}
    data = {"task": task | {"command": [".venv/bin/python", "train.py"]}, "workers": {"devices": ["cpu"]}}
    facts = gather_facts(resolve(parse_config(data, "test"), {}), ScriptFiles((), ()))
    assert facts.packages == ("the standard library of Python 3.12", "numpy 2.4.6")
    assert not facts.packages_are_all
