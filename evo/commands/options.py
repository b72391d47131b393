"""Shared by several commands: arguments for runs and individuals, examples in the help, JSON output."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperOption

from evo.files import replace_file
from trainer.errors import ConfigError, MachineError, UsageError

if TYPE_CHECKING:
    from evo.runs.lifecycle import Viewed
    from evo.store import IndividualRecord, ProposalRecord

ONE_RUN = "Folder of a run [default: the newest under ./runs]"
RunArgument = Annotated[Path | None, typer.Argument(metavar="RUN", help=f"{ONE_RUN}.")]
RunAndId = Annotated[
    list[str] | None,
    typer.Argument(metavar="RUN ID", help=f"{ONE_RUN} and an individual: its number or `best`."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_ID = re.compile(r"#?([0-9]{1,18})|best")  # of whole numbers as the store has them
_TIME_OF_DAY = re.compile(r"[0-9]{2}:[0-9]{2}")


class CommandLine(typer.Typer):
    """Commands that take each option once, but for those that may be repeated: no value is dropped silently."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[_Command], _Command]:
        """Add a command."""
        return super().command(name, cls=_EachOptionOnce, **settings)


class _EachOptionOnce(TyperCommand):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; an option that is given twice is a usage error."""
        if not ctx.resilient_parsing:
            _, _, given = self.make_parser(ctx).parse_args(args=list(args))
            for option, times in Counter(given).items():
                # A switch without a counterpart says the same twice.
                is_switch = isinstance(option, TyperOption) and option.is_flag and not option.secondary_opts
                if times > 1 and not (option.multiple or is_switch):
                    flag = "/".join([*option.opts, *option.secondary_opts])
                    raise UsageError(f"{flag} takes one value, but was given {times} times.")
        return super().parse_args(ctx, args)


def example(commands: str, note: str = "") -> str:
    """Return the epilog of a command's help: examples, then a note."""
    lines = "\n".join(f"  {command.strip()}" for command in commands.strip().splitlines())
    # Click keeps the line breaks of a paragraph that starts with a backspace.
    return f"\b\nExample:\n{lines}\n\n{note.strip()}"


def run_folder(path: Path | None) -> Path:
    """Return the given folder of a run, or else the most recently written one under ./runs.

    Of a ladder, it is that of the largest scale that has begun.

    Raises:
        UsageError: no folder was given and ./runs has no run.
    """
    from evo.config.options import RUNS

    if path is not None:
        return _largest(path) if is_ladder(path) else path
    written = {store.parent: _written_at(store) for store in RUNS.glob("*/evo.db")}
    if not written:
        raise UsageError(f"There is no run in ./{RUNS}. Name the folder of a run, or start one: evo run")
    newest = max(written, key=lambda folder: written[folder])
    typer.echo(f"evo: {newest} (newest run)", err=True)
    return newest


def is_ladder(path: Path | None) -> bool:
    """Return whether a folder is that of a ladder, as `evo ladder` makes it."""
    if path is None or not (path / "begun.json").is_file():
        return False
    from evo.scales.folder import LadderFolder

    return LadderFolder.holds(path)


def _largest(ladder: Path) -> Path:
    from evo.scales.standing import read_ladder_state

    begun = [scale for scale in read_ladder_state(ladder).scales if scale.run is not None]
    if not begun:
        raise UsageError(f"The ladder in {ladder} has searched nothing yet. Continue it with: evo ladder")
    scale = begun[-1]
    typer.echo(f"evo: {scale.run} (the ladder's largest scale that has begun)", err=True)
    assert scale.run is not None  # noqa: S101 - as above
    return scale.run


@contextmanager
def opened(path: Path | None) -> Iterator[Viewed]:
    """Open a live, killed or finished run for reading."""
    from evo.runs.lifecycle import view

    with view(run_folder(path)) as viewed:
        yield viewed


def run_and_ids(arguments: Sequence[str] | None, most: int = 1) -> tuple[Path | None, list[str]]:
    """Split positional arguments into an optional run and up to `most` individuals.

    A folder whose name looks like an ID must be written as ./7.
    """
    words = list(arguments or [])
    run = Path(words.pop(0)) if words and not _ID.fullmatch(words[0]) else None
    for word in words:
        if not _ID.fullmatch(word):
            raise UsageError(f"Expected the number of an individual or `best`, but got {word!r}. See: evo status")
    if len(words) > most:
        expected = "one individual" if most == 1 else f"at most {most} individuals"
        raise UsageError(f"Expected {expected}, but got {len(words)}: {' '.join(words)}.")
    return run, words


def individual(viewed: Viewed, name: str = "best") -> IndividualRecord:
    """Return an individual by its number or `best`.

    Raises:
        UsageError: the run has no such individual.
    """
    match = _ID.fullmatch(name)
    wanted = int(match[1]) if match and match[1] else _best(viewed)
    found = next((record for record in viewed.store.individuals() if record.id == wanted), None)
    if found is None:
        raise UsageError(_no_such(viewed, wanted))
    return found


def refused_proposal(viewed: Viewed, name: str = "best") -> ProposalRecord | None:
    """Return the refused proposal of a number; None where there is none, such as for an individual."""
    match = _ID.fullmatch(name)
    number = int(match[1]) if match and match[1] else 0
    if not 0 < number <= (viewed.store.last_proposal_number() or 0):
        return None
    record = viewed.store.proposal(number)
    return record if record.kind else None


def end_by(text: str | None, now: datetime | None = None) -> float | None:
    """Return the time in a flag such as `07:00` in seconds since 1970, 0 for `never`, None if it was not given.

    Args:
        text: a time of day is the next one, in the zone of this machine.
        now: for tests.
    """
    if text is None or text == "never":
        return None if text is None else 0.0
    now = now or datetime.now().astimezone()
    try:
        if _TIME_OF_DAY.fullmatch(text):
            today = datetime.combine(now.date(), time.fromisoformat(text)).astimezone(now.tzinfo)
            return (today if today > now else today + timedelta(days=1)).timestamp()
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError):
        raise UsageError(
            f"--until expects a time such as 07:00 or 2026-12-24T18:00, or never, but got {text!r}."
        ) from None


def is_time_of_day(text: str) -> bool:
    """Return whether a text is a time of day such as `07:00`."""
    try:
        return bool(_TIME_OF_DAY.fullmatch(text) and time.fromisoformat(text))
    except ValueError:
        return False


def comma_separated(flag: str, text: str | None) -> list[str] | None:
    """Return the names in a flag, None if it was not given; raise ConfigError if it has no names."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ConfigError(f"{flag} expects comma-separated names, but got {text!r}.")
    return names


def named_weights(flag: str, text: str | None) -> dict[str, float] | None:
    """Return the weights in a flag such as `random=2,merge`, None if it was not given."""
    if text is None:
        return None
    weights: dict[str, float] = {}
    for part in comma_separated(flag, text) or []:
        name, _, weight = (one.strip() for one in part.partition("="))
        if name in weights:
            raise ConfigError(f"{flag} names {name} twice.")
        try:
            weights[name] = float(weight) if weight else 1.0
        except ValueError:
            raise ConfigError(f"{flag} expects NAME or NAME=WEIGHT, got {part!r}.") from None
    return weights


def print_json(data: Any) -> None:
    """Print data as JSON in ASCII."""
    typer.echo(json.dumps(data, indent=2))


def write_file(path: Path, content: bytes) -> None:
    """Write a file atomically; raise MachineError if that fails."""
    try:
        replace_file(path, content)
    except OSError as error:
        raise MachineError(f"{path} could not be written: {error.strerror}.") from error


def _written_at(store: Path) -> float:
    """Return the time of the last write to a store or its write-ahead log."""
    log = store.with_name(f"{store.name}-wal")
    files = [store, log] if log.exists() and log.stat().st_size else [store]
    return max(file.stat().st_mtime for file in files)


def _best(viewed: Viewed) -> int:
    best = viewed.standings.best()
    if best is None:
        raise UsageError(
            f"{viewed.folder.path} has no best individual, because nothing has been measured yet. See: evo status"
        )
    return best.id


def _no_such(viewed: Viewed, wanted: int) -> str:
    last = viewed.store.last_proposal_number() or 0
    if wanted > last:
        return f"There is no individual {wanted} in {viewed.folder.path}; the highest number is {last}."
    proposal = viewed.store.proposal(wanted)
    became = f"was refused ({proposal.kind})" if proposal.kind else "is in progress"
    return f"There is no individual {wanted} in {viewed.folder.path}: proposal {wanted} {became}."
