"""The files that `evo init` writes, from templates: evo.toml with every key explained, and program.md."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomli_w
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evo.config.reading import parse_config
from evo.project.found import Found, Metric
from evo.project.instructions import DRAFTED
from evo.project.wording import Kind
from evo.text import visible
from trainer.objectives import PEAK_MEMORY, Direction

CONFIG, PROGRAM, SCORE = "evo.toml", "program.md", "score.py"

_WIDTH = 100
_WRAPPED = {"#: ": ("# ", "# "), "- ": ("- ", "  ")}
"""How lines of a template are wrapped: by their beginning, the first indent and the indent of the other lines."""
_UNITS = {"bpb": "bits per byte", "seconds": "s", "ms": "ms", "mb": "MB", "mib": "MiB", "gb": "GB", "percent": "%"}


def config_text(found: Found, folder: Path, program: str) -> str:
    """Return the text of evo.toml.

    Args:
        folder: where evo.toml will stand; paths are relative to it.
        program: path of program.md, relative to `folder`.
    """
    objectives, front = _objectives(found) if found.question is None else ([], [])
    return _rendered(
        "evo.toml.j2",
        found=found,
        root=seen_from(folder, found.root),
        genome=seen_from(folder, found.root / found.genome[0]) if found.genome else "",
        options=_options(found),
        program=program,
        units=_units,
        bounded=next((one.name for one in found.objectives if one.kind is not Kind.QUALITY), PEAK_MEMORY.name),
        objectives=objectives,
        front=front,
    )


def _units(metric: Metric) -> list[str]:
    """Return the unit of a metric by what the program printed, or by its name; none where neither tells it."""
    return [metric.unit] if metric.unit else [unit for end, unit in _UNITS.items() if metric.name.endswith(end)][:1]


def refuse_invalid(text: str, found: Found) -> None:
    """Raise ConfigError if a text of `config_text` is not a valid configuration; a draft is none yet."""
    data = tomllib.loads(text)
    if found.question is not None:
        return
    if "root" in data["task"]:
        data["task"]["root"] = str(found.root)
    parse_config(data, CONFIG)


def program_text(found: Found) -> str:
    """Return the text of program.md, the instructions to a language model, for the user to complete."""
    return _rendered("program.md.j2", found=found, drafted=DRAFTED)


def score_text(found: Found) -> str:
    """Return the draft of a trusted program that scores what the genome leaves, for the user to complete."""
    first = found.objectives[0]
    better = "lower" if first.direction is Direction.MINIMIZE else "higher"
    return _rendered("score.py.j2", genome=found.genome[0], name=first.name, direction=better)


def seen_from(folder: Path, path: Path) -> str:
    """Return a path relative to `folder` if it lies in there, and absolute otherwise."""
    folder, path = folder.resolve(), path.resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _objectives(found: Found) -> tuple[list[str], list[str]]:
    """Return the objectives of the search and of its Pareto front."""
    if found.is_language_model:
        return ["val_bpb"], ["val_bpb", "tokens_per_second"]
    # What a program says of itself beside the metric that decides is recorded; the front holds what evo measures.
    return [found.objectives[0].name], [found.objectives[0].name, PEAK_MEMORY.name if found.fixed else "run_seconds"]


def _options(found: Found) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the possible answers to what is open, by key."""
    question = found.question
    return {key: question.options if question and question.key == key else () for key in ("genome", "command")}


class _Toml(str):
    """A value that is TOML already."""

    __slots__ = ()


def _toml(value: Any) -> _Toml:
    """Return a value as TOML; a text with backslashes, such as a regular expression, as a literal string."""
    if isinstance(value, list | tuple):
        return _Toml(f"[{', '.join(map(_toml, value))}]")
    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return _Toml(f"'{value}'")
    return _Toml(tomli_w.dumps({"x": value}).removeprefix("x = ").strip())


def _one_line(value: Any) -> str:
    """Return a value without line ends and invisible characters, which could leave a comment."""
    return value if isinstance(value, _Toml) else visible(" ".join(str(value).split()))


def _rendered(template: str, **values: Any) -> str:
    environment = Environment(  # noqa: S701 - TOML and Markdown, no HTML
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_one_line,
    )
    environment.filters["toml"] = _toml
    text = environment.get_template(template).render(values)
    return "\n".join(line for written in text.split("\n") for line in _wrapped(written)) + "\n"


def _wrapped(line: str) -> Iterator[str]:
    for beginning, (first, others) in _WRAPPED.items():
        if line.startswith(beginning):
            yield from textwrap.wrap(
                line.removeprefix(beginning),
                _WIDTH,
                initial_indent=first,
                subsequent_indent=others,
                break_long_words=False,
                break_on_hyphens=False,
            )
            return
    yield line
