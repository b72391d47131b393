"""What several commands share: the run and the individuals they are about, examples in their help, JSON output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainer.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from evo.runs.lifecycle import Viewed
    from evo.store import IndividualRecord

RunArgument = Annotated[
    Path | None, typer.Argument(metavar="RUN", help="The folder of a run. [default: the newest under ./runs]")
]
RunAndId = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN ID",
        help="The folder of a run [default: the newest under ./runs], and an individual: a number or `best`.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]

_ID = re.compile(r"#?([0-9]+)|best")


def example(commands: str, note: str = "") -> str:
    """Return the end of a command's help: lines to copy, then a note."""
    lines = "\n".join(f"  {command.strip()}" for command in commands.strip().splitlines())
    # A paragraph that begins with a backspace keeps its line breaks.
    return f"\b\nExample:\n{lines}\n\n{note.strip()}"


def run_folder(path: Path | None) -> Path:
    """Return the folder of a run: the one given, or the one under ./runs that was written to last.

    Raises:
        UsageError: none was given and there is none.
    """
    from evo.config.options import RUNS

    if path is not None:
        return path
    written = {store.parent: _written_at(store) for store in RUNS.glob("*/evo.db")}
    if not written:
        raise UsageError(f"A run was expected in ./{RUNS}, but there is none. Name its folder, or make one: evo run")
    newest = max(written, key=lambda folder: written[folder])
    typer.echo(f"evo: {newest}, the newest run here", err=True)
    return newest


@contextmanager
def opened(path: Path | None) -> Iterator[Viewed]:
    """Open a run for reading, be it live, killed or finished."""
    from evo.runs.lifecycle import view

    with view(run_folder(path)) as viewed:
        yield viewed


def run_and_ids(arguments: Sequence[str] | None, most: int = 1) -> tuple[Path | None, list[str]]:
    """Divide positional arguments into the run, which may be left out, and up to `most` individuals.

    A folder whose name reads like an individual is written as ./7.
    """
    words = list(arguments or [])
    run = Path(words.pop(0)) if words and not _ID.fullmatch(words[0]) else None
    for word in words:
        if not _ID.fullmatch(word):
            raise UsageError(f"An individual is named by its number or `best`, but got {word!r}. See: evo status")
    if len(words) > most:
        expected = "one individual" if most == 1 else f"at most {most} individuals"
        raise UsageError(f"Expected {expected}, but got {len(words)}: {' '.join(words)}.")
    return run, words


def individual(viewed: Viewed, name: str = "best") -> IndividualRecord:
    """Return the individual that a user named.

    Raises:
        UsageError: the run has none of that name.
    """
    match = _ID.fullmatch(name)
    wanted = int(match[1]) if match and match[1] else _best(viewed)
    found = next((record for record in viewed.store.individuals() if record.id == wanted), None)
    if found is None:
        raise UsageError(_no_such(viewed, wanted))
    return found


def comma_separated(flag: str, text: str | None) -> list[str] | None:
    """Return the names that a flag lists, None where it was not given; raise ConfigError when it lists none."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ConfigError(f"{flag} expects one name or several with commas, but it was {text!r}.")
    return names


def print_json(data: Any) -> None:
    """Print data as JSON; characters that no terminal or file could take are escaped."""
    typer.echo(json.dumps(data, indent=2))


def _written_at(store: Path) -> float:
    """Return when a store was last written to; the log beside it, where there is one, holds the newest writes."""
    log = store.with_name(f"{store.name}-wal")
    files = [store, log] if log.exists() and log.stat().st_size else [store]
    return max(file.stat().st_mtime for file in files)


def _best(viewed: Viewed) -> int:
    best = viewed.standings.best()
    if best is None:
        raise UsageError(
            f"Expected a best individual in {viewed.folder.path}, but nothing was measured there yet. See: evo status"
        )
    return best.id


def _no_such(viewed: Viewed, wanted: int) -> str:
    last = viewed.store.last_proposal_number() or 0
    if wanted > last:
        return f"There is no individual {wanted} in {viewed.folder.path}; its highest number is {last}."
    proposal = viewed.store.proposal(wanted)
    became = f"was refused ({proposal.kind})" if proposal.kind else "is still being made"
    return f"There is no individual {wanted} in {viewed.folder.path}: the proposal of that number {became}."
