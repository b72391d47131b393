"""A first run as a newcomer makes it: a copied example, what is seen meanwhile, the last lines and what they advise."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from command_line import EVO, environment, evo

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    done = evo("init", "--example", "prompt", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Next: evo run\n")
    return folder


@pytest.fixture(scope="module")
def finished(project: Path) -> subprocess.CompletedProcess[str]:
    done = evo(
        *("run", "--pop", "4", "--gens", "4", "--workers", "2", "--operators", "constants", "--out", "runs/first"),
        cwd=project,
        env={name: value for name, value in environment().items() if name != "COLUMNS"},
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_second_copy_is_refused(project: Path) -> None:
    before = (project / "prompt.py").read_bytes()
    done = evo("init", "--example", "prompt", cwd=project)
    assert done.returncode == 2
    assert "prompt.py" in done.stderr
    assert (project / "prompt.py").read_bytes() == before


def test_a_log_file_gets_one_plain_line_for_each_result(finished: subprocess.CompletedProcess[str]) -> None:
    lines = finished.stderr.splitlines()
    results = [line for line in lines if re.match(r" *\d+ [✓✗≠?] #\d+ ", line)]
    assert len(results) == 16
    assert max(map(len, lines)) <= 80
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", finished.stderr)


def test_a_wider_log_file_is_asked_for_by_columns(project: Path) -> None:
    done = evo(
        *("run", "--pop", "2", "--gens", "3", "--operators", "constants", "--out", "runs/wide"),
        cwd=project,
        env=environment(COLUMNS="300"),
    )
    assert done.returncode == 0, done.stderr
    assert "…" not in done.stderr


def test_the_last_lines_advise_commands_that_work(project: Path, finished: subprocess.CompletedProcess[str]) -> None:
    found, _, advice = finished.stdout.partition("\nTry next\n")
    facts = found.rpartition("\n\n")[2]
    labels = [line[:14].strip() for line in facts.splitlines()]
    assert labels[0] == "best"
    assert {"generation 0", "gain"} <= set(labels)
    commands = [line[line.index(str(EVO)) :] for line in advice.splitlines()]
    assert len(commands) >= 2
    for command in commands:
        words = shlex.split(command)
        assert words[0] == str(EVO)
        if words[1] not in ("ablate", "resume", "apply"):  # long, or needs a repository
            done = evo(*words[1:], cwd=project)
            assert done.returncode == 0, done.stderr


def test_one_genome_is_enough(project: Path) -> None:
    done = evo("run", "train.py", "--genome", "textbook", cwd=project)
    assert done.returncode == 2
    assert "train.py and --genome textbook" in done.stderr
