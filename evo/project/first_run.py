"""Running a program once, confined as candidates are, to read what it prints and leaves."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from evo.config.config import Config
from evo.config.resolution import resolve
from evo.config.task import ObjectiveConfig, ScriptTask
from evo.files import exists, is_file, is_private
from evo.project.found import FirstRun, Found, Given
from evo.project.frozen import without_parts
from evo.project.left import metrics_left
from evo.project.output import lines_of
from evo.runs.assemble import worker_settings
from evo.runs.generation_zero import read_generation_zero
from evo.runs.materials import prepare_materials
from trainer.errors import EvoError
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess
from trainer.objectives import Direction
from trainer.script import ScriptSettings
from trainer.script.secrets import secrets_in

SECONDS = 60.0
"""After so long a first run is stopped, and what it has printed so far is used."""

_MOST_RUNS = 6  # each with the file that the one before did not find
_MISSING_FILE = re.compile(r"(?:No such file or directory|not found|does not exist)[^'\"\n]{0,40}['\"]([^'\"\n]+)['\"]")
_MISSING_SOURCE = re.compile(
    r"No rule to make target ['\"`]([^'\"\n]+)['\"]|\berror: ['\"]?([\w./-]+\.\w+)['\"]?: No such file"
)
"""What make and compilers say."""
_MISSING_MODULE = re.compile(r"No module named '([\w.]+)'")


def first_run(found: Found, seconds: float = SECONDS) -> tuple[FirstRun, tuple[Given, ...]]:
    """Run the program once; where it does not find a file of the project, run it again with that.

    Args:
        found: genome, command and frozen files.
        seconds: after which it is stopped.

    Returns:
        What happened in the last run, and the files that had to be given.
    """
    added: list[Given] = []
    deadline = time.monotonic() + seconds
    run = FirstRun((), is_complete=False, seconds=0.0)
    for _ in range(_MOST_RUNS):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            with tempfile.TemporaryDirectory(prefix="evo-left-") as folder:
                evaluation = _evaluated(found, added, left, Path(folder))
                run = replace(_summary(evaluation), left=tuple(metrics_left(Path(folder))))
        except EvoError as error:
            return FirstRun((), is_complete=False, seconds=0.0, problem=str(error).rstrip(".")), tuple(added)
        lacking = None if run.is_complete else next(_lacking(found, added, run), None)
        if lacking is None:
            break
        added.append(lacking)
    if run.problem and (outside := next(_outside(found.root, run), "")):
        run = replace(run, problem=f"{run.problem}. Candidates get it only if you add {outside} to frozen")
    return run, tuple(added)


def _evaluated(found: Found, added: list[Given], seconds: float, folder: Path) -> Evaluation:
    frozen = [one for one in found.frozen if not one.is_missing]
    task = ScriptTask(
        kind="script",
        root=str(found.root),
        genome=found.genome,
        frozen=tuple(one.name for one in without_parts([*frozen, *added])),
        command=found.command,
        # Nothing is read yet; a task has one objective at least.
        objectives={"printed": ObjectiveConfig(direction=Direction.MINIMIZE, pattern=r"(\S+)")},
    )
    config = resolve(Config(task=task))
    source = read_generation_zero(config)
    settings = worker_settings(config, prepare_materials(config))[0]
    assert isinstance(settings, ScriptSettings)  # noqa: S101 - of a script task
    # A program that is told its time takes half of what there is.
    fixed = min(found.fixed.seconds, seconds / 2) if found.fixed else None
    settings = replace(settings, readings=(), wall_seconds=seconds, fixed_seconds=fixed, left=folder)
    with SupervisorProcess(settings) as supervisor:
        return supervisor.evaluate(Job(source, seed=0))


def _summary(evaluation: Evaluation) -> FirstRun:
    lines = lines_of(evaluation.log_tail.encode())
    is_ok = evaluation.status is Status.OK
    problem = "" if is_ok or evaluation.status is Status.TIMED_OUT else evaluation.reason
    return FirstRun(lines, is_ok, evaluation.timings.total_seconds, " ".join(problem.split()))


def _lacking(found: Found, added: list[Given], run: FirstRun) -> Iterator[Given]:
    """Yield files of the project that the program asked for and was not given."""
    text = "\n".join(run.lines)
    names = [name for match in _MISSING_FILE.finditer(text) for name in _endings(match[1])]
    names += [name for match in _MISSING_SOURCE.finditer(text) for name in _endings(match[1] or match[2])]
    folders = {PurePosixPath(word).parent for word in found.command if is_file(found.root / word)}
    for match in _MISSING_MODULE.finditer(text):
        path = match[1].replace(".", "/")
        names += [path, f"{path}.py", f"src/{path}", *(f"{folder}/{path}.py" for folder in folders)]
    known = {one.name for one in (*found.frozen, *added)}
    for name in names:
        path = found.root / name
        holds_genome = any(PurePosixPath(file).is_relative_to(name) for file in found.genome)
        if (
            name in known
            or any(map(is_private, PurePosixPath(name).parts))
            or holds_genome
            or not exists(path)
            or not path.resolve().is_relative_to(found.root)
        ):
            continue
        if not any(secrets_in(path, found.root)):
            yield Given(name, "asked for in the first run")


def _outside(root: Path, run: FirstRun) -> Iterator[str]:
    """Yield what the program asked for and what lies outside the project, as `frozen` names it."""
    for match in _MISSING_FILE.finditer("\n".join(run.lines)):
        parts = Path(match[1]).parts
        name = "/".join(parts[parts.index("..") :]) if ".." in parts else match[1]
        path = Path(os.path.realpath(root / name))
        if exists(path) and not path.is_relative_to(root) and not any(secrets_in(path, path.parent)):
            yield name


def _endings(name: str) -> Iterator[str]:
    """Yield the ends of a path, the longest first: the sandbox has another folder before them."""
    parts = [part for part in Path(name).parts if part not in ("/", ".")]
    if ".." not in parts:
        yield from ("/".join(parts[start:]) for start in range(len(parts)))
