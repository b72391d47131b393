"""Every command of README, CONTRIBUTING and docs runs: long ones at a small size, by the replacements below only."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from command_line import EVO, SMALL, environment

from evo.config.reading import parse_config
from evo.scales.definition import LadderConfig
from operators.llm.rehearsal import MessagesServer, model, scripted_model

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDES = sorted((ROOT / "docs").glob("*.md"))
RECIPES = "extending.md"  # followed by a test of its own
PAGES = [README, ROOT / "CONTRIBUTING.md", *(page for page in GUIDES if page.name != RECIPES)]
RUN = "runs/2026-11-21-220000"

ELSEWHERE = {
    ". .venv/bin/activate": "the tests run inside an environment",
    "make test": "this is it",
    "make test-full": "the same, with every genome of the audit",
    "make test-oldest": "an environment of its own, with other versions",
    "make docs": "a test of its own builds the site",
    "make check": "a step of its own in continuous integration",
}

FULL = {
    "make bench",
    "evo compare experiments/compare/random_operators.toml",
    "evo ablate 12",
    "evo promote 12 --scale budget.train_seconds=300",
    "evo audit",
    "evo audit --honest",
    "evo resume runs/2026-11-21-220000 --gens 60",
    "evo run --pop 16 --gens 40 --objectives val_bpb,tokens_per_second",
    "evo run --dataset path/to/texts --vocab-size 4096",
}
"""Commands that train for long even at a small size: `make test-full` runs them; `make test` has others of each."""

SERVERS = ("evo dashboard", "evo rehearse")
"""Commands that print an address and serve there until Ctrl-C."""

SMALLER = [
    (r"--pop \d+", "--pop 2"),
    (r"--gens 60", "--gens 5"),
    (r"--gens 40", "--gens 1"),
    (r"--budget \d+", "--budget 0.5"),
    (r"--vocab-size \d+", "--vocab-size 300"),
    # Of a run that certainly has an individual 1.
    (r"^(evo (?:show|lineage|export)) 12", rf"\1 {RUN} 1"),
    (r"^evo diff 0 12", f"evo diff {RUN} 0 1"),
    (r"^evo apply", f"evo apply {RUN} 1"),  # the best individual may be generation 0, at this size
    (r"^evo ablate 12", f"evo ablate {RUN} 1 --seeds 1"),
    (r"^evo promote 12 (.*)=300", rf"evo promote {RUN} 1 \1=0.6 --seeds 1"),
    (r"^evo run (?!.*--pop)", "evo run --pop 2 --gens 1 "),
    # Real training where the task is a part of the command; a program of milliseconds where the search alone is.
    (r"^evo run --pop 2 --gens 1$", r"\g<0> --config path/to/project/evo.toml"),
    (r"--config evo.toml", "--config path/to/project/evo.toml"),
    (r"--islands \d+", "--islands 1"),  # each needs two individuals
    (r"--devices \S+ --reference-device \S+", "--devices cpu --reference-device torch"),
    (r"--gens 1 +--seed-genome train.py (--seed-genome )mine.py", r"--gens 2 \1wide.py"),  # both are evaluated
    (
        r"^evo run (?=.*--(operators|model|max-hours|target|islands|reference-device|seed-genome))",
        "evo run --config path/to/project/evo.toml ",
    ),
    (r"^evo run (?!.*--config)", "evo run --config small.toml "),
    (r"^evo audit$", "evo audit --only next_token"),
    (r"^evo audit --honest$", "evo audit --honest --only bigram"),
    (r"^evo (pin|ban|release|again) \d+", rf"evo \1 {RUN} 1"),
    (r"^evo inject mine.py --parent 18", f"evo inject {RUN} mine.py --parent 1"),
    (r"^evo import .*", f"evo export {RUN} --optuna sqlite:///a.db && evo import {RUN} --optuna sqlite:///a.db"),
    (r"^evo stop$", "evo stop 2>&1 | grep 'nothing to stop'"),  # no driver works on the run
    (r"runs/tonight", RUN),
    (r"^evo skill install", "HOME=$PWD evo skill install"),
    (r"--smoke \S+ train.py --steps 2", '--smoke "python bench.py'),
    (r"^evo init", "cd path/to/project && evo init"),
    (r"evo init$", "evo init --force"),  # the project has an evo.toml, for the other commands in any order
    (r"^evo compare experiments/compare/random_operators.toml", "evo compare comparison.toml"),
    (
        r"^make demo",
        'make -C "$ROOT" demo DEMO="--genome textbook --pop 2 --gens 1 --config $PWD/small.toml --out $PWD/demo"',
    ),
    (r"^evo rehearse .*", "evo rehearse"),  # on a port that is free
    (r"^evo ladder evo.toml", "evo ladder ladder.toml --out ladders/depth"),
    (r"^evo (status|best) ladders/depth", r"evo ladder ladder.toml --out ladders/depth && \g<0>"),
    (r"^make bench", 'make -C "$ROOT" bench BENCH=--quick'),
]

COMPARISON = """
name = "small"
repeats = 1
budget.evaluations = 6
outcome.seeds = 1
base.search.pop = 2

[base.task]
kind = "script"
root = "path/to/project"
genome = "kernel.py"
frozen = ["bench.py"]
command = "python bench.py"
objectives.seconds = { direction = "minimize", pattern = '^seconds: (\\S+)$' }

[[arms]]
name = "random-search"
method = "random_search"

[[arms]]
name = "random"
method = "random_mutation"
"""

LADDER = """
[task]
kind = "script"
root = "path/to/project"
genome = "kernel.py"
frozen = ["bench.py"]
command = "python bench.py"
objectives.seconds = { direction = "minimize", pattern = '^seconds: (\\S+)$' }

[search]
pop = 2

[ladder]
total_seconds = 33
rounds = 1
compare = 4
promote = 1
final_seeds = 2

[[ladder.scale]]
name = "small"
evaluation_seconds = 1.0

[[ladder.scale]]
name = "large"
evaluation_seconds = 2.0
"""


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def commands() -> list[str]:
    """The commands of all pages, each once."""
    found = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    lines = [re.sub(r"\s+#.*", "", line).strip() for line in found]
    return [line for line in dict.fromkeys(lines) if line and line not in ELSEWHERE]


def at_small_size(command: str) -> str:
    for pattern, replacement in SMALLER:
        command = re.sub(pattern, replacement, command)
    return command


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, finished_run: Path) -> Path:
    """A folder with what the commands name."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(finished_run, folder / RUN)
    shutil.copy(ROOT / "trainer" / "seed" / "train.py", folder / "train.py")
    seed = (folder / "train.py").read_text()
    (folder / "mine.py").write_text(seed.replace("MLP_RATIO = 2", "MLP_RATIO = 3", 1))
    (folder / "program.md").write_text("Prefer small changes.\n")
    (folder / "small.toml").write_text(SMALL)
    (folder / "evo.toml").write_text(SMALL)
    (folder / "ladder.toml").write_text(LADDER, encoding="utf-8")
    (folder / "comparison.toml").write_text(COMPARISON)
    (folder / "experiments").mkdir()
    shutil.copy(ROOT / "experiments" / "llm_vs_random.toml", folder / "experiments")
    project, texts = folder / "path" / "to" / "project", folder / "path" / "to" / "texts"
    shutil.copytree(ROOT / "evo" / "project" / "examples" / "kernel", project, ignore=shutil.ignore_patterns("runs"))
    bench = (project / "bench.py").read_text().replace("NODES = 240", "NODES = 60").replace("CALLS = 7", "CALLS = 2")
    (project / "bench.py").write_text(bench)
    (folder / "wide.py").write_text((project / "kernel.py").read_text().replace("ROWS_AT_ONCE = 1", "ROWS_AT_ONCE = 8"))
    texts.mkdir()
    for number in range(60):
        words = (f"document {number} says {word} of {word * number}" for word in range(3, 400))
        (texts / f"{number}.txt").write_text(". ".join(words))
    return folder


@pytest.fixture(scope="module")
def language_model() -> Iterator[Mapping[str, str]]:
    with MessagesServer(fallback=model(scripted_model)) as server:
        yield {"ANTHROPIC_BASE_URL": server.url}


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [pytest.param(one, marks=pytest.mark.full) if one in FULL else one for one in commands()]
)
def test_command_runs(command: str, workspace: Path, language_model: Mapping[str, str]) -> None:
    needs_model = any(sign in command for sign in ("llm_", "--model", "--llm"))
    added = {"ROOT": str(ROOT), "PATH": f"{EVO.parent}:{environment()['PATH']}", "PYTHON": sys.executable}
    with subprocess.Popen(
        ["bash", "-euc", at_small_size(command)],
        cwd=workspace,
        env=environment(**added, **(language_model if needs_model else {})),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        if command.startswith(SERVERS):
            assert process.stdout is not None
            assert "http://" in process.stdout.readline()
            os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0, f"{at_small_size(command)}\n{out}\n{err}"


def test_every_command_of_evo_is_shown() -> None:
    help_text = subprocess.run([EVO, "--help"], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  ([a-z]+)  ", help_text.partition("Commands:")[2], flags=re.MULTILINE)
    used = {shlex.split(command)[1] for command in commands() if command.startswith("evo ")}
    assert listed
    assert set(listed) <= used


def test_every_guide_is_linked_from_the_readme() -> None:
    linked = set(links(README))
    assert GUIDES
    assert [page.name for page in GUIDES if page.name != RECIPES and f"docs/{page.name}" not in linked] == []


def test_configurations_are_valid() -> None:
    found = [block for page in PAGES for block in blocks(page, "toml")]
    assert found
    for block in found:
        settings = tomllib.loads(block)
        if (ladder := settings.pop("ladder", None)) is not None:
            LadderConfig.model_validate(ladder)
        parse_config(settings, "docs")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    targets = [page.parent / target for target in links(page)]
    assert [target for target in targets if target.name != RECIPES and not target.exists()] == []


def links(page: Path) -> list[str]:
    """The files that a page links to."""
    return re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text(encoding="utf-8"))
