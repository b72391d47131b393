"""The settings that the command line and the Python API share, by the names of the flags."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict

from evo.config.config import Config, is_cluster_address
from evo.config.reading import load_config, overlaid, suggest
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig
from evo.config.task import LanguageModelTask
from evo.files import is_private
from trainer.errors import ConfigError, UsageError

_MEASURED_BY_CLOCK = frozenset({"run_seconds"})
"""What differs from run to run, however deterministic a program is."""
RUNS = Path("runs")
"""Where runs are made unless another folder is named."""

PROJECT_FILE = Path("evo.toml")
"""What `evo init` writes and a new run reads when no other file is named."""
_MOST_AT_ONCE = 1000  # runs that begin in one second


class ResumeOptions(TypedDict, total=False):
    """What may change when a run goes on; None changes nothing.

    Attributes:
        gens: generations in total.
        operators: weights by name.
        max_cost: US dollars for the language model.
        max_hours: wall time of the whole run.
        target: mean of the first objective at which the search ends.
        patience: results without a better individual after which the search ends.
        workers: evaluations at a time on this machine; or the Ray cluster that evaluates, as `auto` or
            `ray://HOST:PORT`.
        devices: `cpu`, `mps`, or indices or UUIDs of GPUs.
        sandbox: `auto`, `strict`, or a level by name.
    """

    gens: int | None
    operators: Mapping[str, float] | None
    max_cost: float | None
    max_hours: float | None
    target: float | None
    patience: int | None
    workers: int | str | None
    devices: Sequence[str] | None
    sandbox: str | None


class SearchOptions(ResumeOptions, total=False):
    """How a new run searches; None leaves a setting as the file or the default has it.

    Attributes:
        pop: individuals in the population.
        adaptive: adapt the probabilities of operators to improvement per cost.
        islands: parts of the population that breed apart.
        descriptors: what tells the niches of a MAP-Elites archive apart.
        explore_after: results without a better individual after which the search explores.
        schedule: `asynchronous` or `generational`.
        seed_genomes: further programs to start from; the first is generation 0 where no genome is named.
        seed: of every random choice.
        model: the language model, or several with their weights.
        program: path of a Markdown file with instructions to it.
    """

    pop: int | None
    adaptive: bool | None
    islands: int | None
    descriptors: Sequence[str] | None
    explore_after: int | None
    schedule: str | None
    seed_genomes: Sequence[str] | None
    seed: int | None
    model: str | Mapping[str, float] | None
    program: str | None


class RunOptions(SearchOptions, total=False):
    """The settings of a new run; None leaves one as the file or the default has it.

    Attributes:
        budget: training seconds of one evaluation.
        objectives: names; two or more select by NSGA-II.
        clock: `wall`, or `cpu` for the CPU seconds of the candidate.
        dataset: of the language-model task.
        vocab_size: of its tokenizer.
        reference_device: UUID of a GPU, or a part of the name of its model, to whose class all values refer.
    """

    budget: float | None
    objectives: Sequence[str] | None
    clock: str | None
    dataset: str | None
    vocab_size: int | None
    reference_device: str | None


def new_run_config(genome: str, file: Path | None, options: RunOptions) -> ResolvedConfig:
    """Return the resolved configuration of a new run.

    Args:
        genome: path of generation 0, or a built-in one's name; empty for the strong one, or for what the file names.
        file: a TOML file; `./evo.toml` by default, where there is one.
        options: laid over the file.

    Raises:
        ConfigError: a setting or the file is wrong.
    """
    if file is None and os.path.lexists(PROJECT_FILE):
        file = PROJECT_FILE
    base = load_config(file)
    seeds = options.get("seed_genomes") or ()
    if isinstance(seeds, list | tuple):  # other kinds of values are refused later
        seeds = [str(one) for one in seeds]
    if seeds and not genome and isinstance(base.task, LanguageModelTask) and not base.task.genome:
        genome, *seeds = seeds
    flags = {name: value for name, value in options.items() if name != "budget"} | {"seed_genomes": seeds or None}
    sections = sections_of(flags, RunOptions.__annotations__)
    seconds = options.get("budget")
    if base.script is None:
        sections["task"] |= {"genome": genome or None}
        sections["budget"] |= {"train_seconds": seconds}
    elif genome:
        raise ConfigError(f"The genome of this project is named in {file}, but {genome} was named too.")
    else:
        sections["task"] |= {"fixed_seconds": seconds}
    config = overlaid(base, sections)
    _refuse_noiseless_clocks(config)
    return resolve(config)


def _refuse_noiseless_clocks(config: Config) -> None:
    """Refuse to take a time that was measured once for exact."""
    timed = [name for name in config.search.objectives if name in _MEASURED_BY_CLOCK]
    if config.task.is_deterministic and timed:
        raise ConfigError(
            f'`task.noise = "none"` says that every run gives the same, but {timed[0]}, which selection looks at, '
            "differs from run to run. Remove `noise`, or select on something else: `search.objectives`."
        )


def refuse_project_without_task(folder: Path) -> None:
    """Raise UsageError where a folder holds a program of the user's, but no task is made of it.

    The built-in task in its place would spend hours on something else than what stands there.
    """
    if os.path.lexists(folder / PROJECT_FILE) or _is_own_source(folder):
        return
    if (program := next(_python_files(folder), None)) is not None:
        raise UsageError(
            f"There is no {PROJECT_FILE} in this folder, so nothing says how {program} and what stands beside it are "
            "to evolve. Write it: evo init. For the built-in language-model task, use an empty folder or name its "
            "data: evo run --dataset sotu"
        )


def _is_own_source(folder: Path) -> bool:
    return (folder / "evo/commands").is_dir() and (folder / "trainer/seed/train.py").is_file()


def _python_files(folder: Path) -> Iterator[str]:
    """Yield the programs of a folder, those nearest first."""
    patterns = ("*.py", "*/*.py", "*/*/*.py")
    for path in (path for pattern in patterns for path in sorted(folder.glob(pattern))):
        parts = path.relative_to(folder).parts
        if not any(map(is_private, parts)):
            yield "/".join(parts)


def resumed_config(stored: Config, options: ResumeOptions) -> ResolvedConfig:
    """Return the resolved configuration of a run with options laid over it; raise ConfigError when one is wrong."""
    return resolve(overlaid(stored, sections_of(options, ResumeOptions.__annotations__)))


def as_path(argument: str, value: object) -> Path:
    """Return the path that an argument of the Python API names; raise UsageError when it is none."""
    if not isinstance(value, str | Path) or value == "" or "\0" in str(value):
        raise UsageError(f"`{argument}` must be a path, as a text or a pathlib.Path, but it was {value!r}.")
    return Path(value)


@contextmanager
def new_run_folder(named: str | Path | None, project: Path = Path()) -> Iterator[Path]:
    """Give the folder of a new run: the one that was named, else one below `runs` of a project, by date and time.

    No other run gets the same. It is removed again where nothing was written to it.

    Raises:
        UsageError: no folder can be made there.
    """
    if named is not None:
        yield as_path("out", named)
        return
    runs = project / RUNS
    date = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}"
    names = (date, *(f"{date}-{number}" for number in range(2, _MOST_AT_ONCE)))
    try:
        runs.mkdir(exist_ok=True)
        folder = next((path for path in map(runs.joinpath, names) if _is_made(path)), runs / date)
    except OSError as error:
        raise UsageError(
            f"A run could not be made in {runs}: {error.strerror}. Work in a folder that you can write, or name one."
        ) from error
    try:
        yield folder
    finally:
        with suppress(OSError):
            folder.rmdir()
            runs.rmdir()


def _is_made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def sections_of(
    options: Mapping[str, Any], known: Iterable[str] = SearchOptions.__annotations__
) -> dict[str, dict[str, Any]]:
    """Return options by section and key of the configuration; raise ConfigError for a name that is none of `known`."""
    sections: dict[str, dict[str, Any]] = {section: {} for section in ("task", "budget")}
    for name, value in options.items():
        if name not in known:
            raise ConfigError(f"{name!r} is not an option here; {suggest(name, known)}")
        section, key = _KEYS[name]
        sections.setdefault(section, {}).update(_workers(value) if name == "workers" else {key: value})
    return sections


def _workers(value: int | str | None) -> dict[str, Any]:
    """Return the keys of `[workers]` that one value stands for: a number, or the address of a cluster."""
    if value is None:
        return {}
    text = str(value)
    if text.isascii() and text.isdecimal():
        return {"kind": "local", "count": int(text)}
    if is_cluster_address(text):
        return {"kind": "ray", "address": text}
    raise ConfigError(
        f"--workers expects a number, auto (the Ray cluster of this machine) or ray://HOST:PORT, but got {value!r}."
    )


_KEYS = {
    "pop": ("search", "pop"),
    "gens": ("search", "gens"),
    "schedule": ("search", "schedule"),
    "objectives": ("search", "objectives"),
    "seed_genomes": ("search", "seed_genomes"),
    "seed": ("search", "seed"),
    "max_hours": ("search", "max_hours"),
    "target": ("search", "target"),
    "patience": ("search", "patience"),
    "clock": ("budget", "clock"),
    "dataset": ("task", "dataset"),
    "vocab_size": ("task", "vocab_size"),
    "islands": ("diversity", "islands"),
    "descriptors": ("diversity", "descriptors"),
    "explore_after": ("diversity", "explore_after"),
    "operators": ("operators", "weights"),
    "adaptive": ("operators", "adaptive"),
    "model": ("llm", "model"),
    "program": ("llm", "program"),
    "max_cost": ("llm", "max_cost_usd"),
    "workers": ("workers", "count"),
    "devices": ("workers", "devices"),
    "reference_device": ("workers", "reference_device"),
    "sandbox": ("workers", "sandbox"),
}
"""Section and key of every option but `budget`, which depends on the task."""
