"""The last lines of a run: what the best individual changed, and which commands to try next."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

from rich.console import Console

from evo.commands.views.terminal import literal, print_labelled, print_whole, shell_word
from evo.config.config import Config
from evo.config.task import ScriptTask
from evo.runs.lifecycle import Viewed
from evo.search.stopping import StopReason
from evo.standings.summary import Summary
from operators.source.constants import Constant, find_constants
from trainer.errors import counted
from trainer.evaluation import Status
from trainer.genome import BUILT_IN, source_lines

_MOST_CONSTANTS = 8
_LONGEST_VALUE = 24
_LONGER = 1.5  # below that, it may be what else the machine does


def print_change(console: Console, viewed: Viewed, summary: Summary) -> None:
    """Print how the best individual differs from generation 0: constants by value, other code by its size."""
    if summary.best is None or summary.best.id == 0:
        return
    change = change_text(viewed.store.source(0), viewed.store.source(summary.best.id))
    print_labelled(console, "changed", literal(change))
    if price := price_text(
        *(one.objectives.get("run_seconds") for one in (summary.generation_zero, summary.best) if one)
    ):
        print_labelled(console, "price", price)


def price_text(*seconds: float | None) -> str:
    """Return how much longer the second of two takes than the first, in words; empty if hardly, or if unknown."""
    match seconds:
        case (float() as zero, float() as own) if own > _LONGER * zero:
            return f"it takes {own / zero:.1f} × the time of generation 0 ({zero:.2g} s → {own:.2g} s)"
    return ""


def change_text(before: str, after: str) -> str:
    """Return the differences between two sources in a sentence."""
    old, new = find_constants(before), find_constants(after)
    moved = [name for name in old if name in new and old[name].text != new[name].text]
    moves = [f"{name} {_short(old[name])} → {_short(new[name])}" for name in moved[:_MOST_CONSTANTS]]
    if len(moved) > _MOST_CONSTANTS:
        moves.append(counted(len(moved) - _MOST_CONSTANTS, "more constant"))
    if others := _other_lines(before, after, {old[name].line for name in moved}):
        moves.append(f"{counted(others, 'other line' if moves else 'line')} of code")
    return ", ".join(moves)


def _short(constant: Constant) -> str:
    text = " ".join(constant.text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _other_lines(before: str, after: str, known: set[int]) -> int:
    """Return how many lines differ, those of generation 0 with the numbers in `known` left out."""
    old, new = source_lines(before), source_lines(after)
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return sum(
        max(last - first, end - start) - len(known.intersection(range(first + 1, last + 1)))
        for kind, first, last, start, end in blocks
        if kind != "equal"
    )


def print_next(console: Console, viewed: Viewed, summary: Summary, reason: StopReason) -> None:
    """Print commands to try next, each with what it is for."""
    steps = list(_next_steps(viewed.config, summary, viewed.folder.path, reason))
    width = max(len(purpose) for purpose, _ in steps)
    print_whole(console, "\n[bold]Try next[/]")
    for purpose, command in steps:
        print_whole(console, f"  {purpose:<{width}}  {command}")


def _next_steps(config: Config, summary: Summary, path: Path, reason: StopReason) -> Iterator[tuple[str, str]]:
    evo, run = literal(shlex.quote(program())), shell_word(path)
    if summary.best and summary.gain and summary.gain.is_real and reason.is_by_rule and not summary.best.broken:
        best = summary.best.id
        yield "see the change", f"{evo} diff {run} 0 {best}"
        yield "test its edits", f"{evo} ablate {run} {best}"
        yield "use it", f"{evo} {_take(config, run, best)}"
        return
    longer = f" --gens {2 * config.search.gens}" if reason is StopReason.COMPLETE else ""
    yield "search on", f"{evo} resume {run}{longer}"
    if summary.statuses.keys() - {Status.OK.value}:
        yield "see what failed", f"{evo} status {run}"
    yield "see what was tried", f"{evo} lineage {run}"


def _take(config: Config, run: str, best: int) -> str:
    """Return the command that puts the best individual to use: a commit where generation 0 was a file of the user's."""
    task = config.task
    if not isinstance(task, ScriptTask) and task.genome in BUILT_IN:
        return f"export {run} {best} --out best.py"
    return f"apply {run} {best}"


def program() -> str:
    """Return how this user calls evo: by its name where the shell finds this installation, else by its path."""
    called = sys.argv[0]
    found = shutil.which("evo")
    if Path(called).name != "evo" or (found and Path(found).resolve() == Path(called).resolve()):
        return "evo"
    return called
