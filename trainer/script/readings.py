"""Reading objectives off what a command printed, or off a JSON file or table that it left; all may be hostile."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trainer.evaluation import Status
from trainer.machine.output import Screen, Stream
from trainer.objectives import is_comparable
from trainer.script.left import JSON_LINES, TABLES
from trainer.script.numbers import number_in
from trainer.script.settings import Reading
from trainer.supervisor.watch import Ended

_LINE_LIMIT = 4096  # characters that are searched; no metric stands further right
_JSON_LIMIT_BYTES = 4 * 2**20
_QUOTED_CHARACTERS = 100
_SEARCH_SECONDS = 2.0  # for one pattern in what is read at once, which takes some milliseconds
# tqdm leaves the cursor behind its bar, where the next print then begins.
_BAR = re.compile(r"(\d(?:it)? \[\d+:\d\d[:\d]*[<,][^\]\n]{0,200}\])(?=[^\n])")


def printed_lines(printed: bytes) -> list[str]:
    """Return the lines that patterns are searched in, without terminal escapes and without what is too far right."""
    screen = Screen()
    return _searched([*screen.feed(printed), *screen.rest()])


def _searched(lines: Sequence[str]) -> list[str]:
    return [line[:_LINE_LIMIT] for line in _BAR.sub(r"\1\n", "\n".join(lines)).split("\n")]


class Reader:
    """Looks for some objectives in the output of one command, line by line and each stream for itself.

    What stands on stdout counts. Only for an objective that stdout never names is stderr asked, where programs log.
    """

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings
        self._patterns = [(one, re.compile(one.pattern)) for one in readings if one.pattern]
        self._screens = {stream: Screen() for stream in Stream}
        self._found: dict[Stream, dict[str, str]] = {stream: {} for stream in Stream}
        self._several: dict[Stream, dict[str, tuple[str, str]]] = {stream: {} for stream in Stream}

    def feed(self, data: bytes, stream: Stream = Stream.STDOUT) -> None:
        """Take what was printed next."""
        if self._patterns:
            self._search(self._screens[stream].feed(data), stream)

    def latest(self) -> tuple[str, float] | None:
        """Return name and value of the first objective as printed so far; None where there is no number yet."""
        if not self._patterns:
            return None
        first = self._patterns[0][0]
        text = next((found[first.name] for found in self._found.values() if first.name in found), None)
        value = None if text is None else number_in(text, first.unit)
        return None if value is None else (first.name, value)

    def values(self, folder: Path) -> dict[str, float]:
        """Return each objective's value after the command has ended and left its working folder.

        What is not required is left out where it cannot be read.

        Raises:
            Ended: CRASHED where a value is missing, ambiguous or no number; DIVERGED where it is as good as infinite.
        """
        for stream, screen in self._screens.items():
            self._search(screen.rest(), stream)
        values: dict[str, float] = {}
        for one in self._readings:
            try:
                values[one.name] = self._finite(one, folder)
            except Ended:
                if one.required:
                    raise
        return values

    def _search(self, lines: Sequence[str], stream: Stream) -> None:
        """Look for every objective in some lines; a program may print millions of them."""
        # Patterns see line by line, since much that stands in one also matches across line ends.
        lines = _searched(lines)
        for reading, pattern in self._patterns:
            with _time_limit(reading):
                for match in filter(None, map(pattern.search, lines)):
                    if match[1] is not None:
                        self._take(reading, match[1], stream)

    def _take(self, reading: Reading, value: str, stream: Stream) -> None:
        before = self._found[stream].get(reading.name)
        if before is not None and before != value and reading.take == "only":
            self._several[stream].setdefault(reading.name, (before, value))
        self._found[stream][reading.name] = value

    def _finite(self, reading: Reading, folder: Path) -> float:
        value = self._value(reading, folder)
        if not is_comparable(value):
            raise Ended(Status.DIVERGED, f"reported {reading.name} as {value}")
        return value

    def _value(self, reading: Reading, folder: Path) -> float:
        if reading.json:
            return _number(reading, _look_up(reading, folder))
        stream = next((one for one in Stream if reading.name in self._found[one]), None)
        if stream is None:
            raise Ended(
                Status.CRASHED, f"printed no line that matches the pattern of {reading.name}: {reading.pattern}"
            )
        if reading.name in self._several[stream]:
            first, second = self._several[stream][reading.name]
            raise Ended(
                Status.CRASHED,
                f"printed several values that match the pattern of {reading.name}, {_quoted(first)} and "
                f'{_quoted(second)} among them; make the pattern narrower, or `take = "last"`',
            )
        return _number(reading, self._found[stream][reading.name])


@contextlib.contextmanager
def _time_limit(reading: Reading) -> Iterator[None]:
    """Raise Ended in a search that takes too long, as some patterns do on lines made for it."""

    def end(number: int, frame: object) -> None:  # noqa: ARG001 - what a signal handler is given
        raise Ended(
            Status.CRASHED,
            f"printed lines on which the pattern of {reading.name} takes more than {_SEARCH_SECONDS:g} s; make the "
            f"pattern simpler: {reading.pattern}",
        )

    # Of CPU time, so that a busy machine makes no difference. Matching gives way to signals.
    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SEARCH_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _number(reading: Reading, value: Any) -> float:
    number: float | None = None
    if isinstance(value, str):
        number = number_in(value, reading.unit)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            number = float(value)
    if number is None:
        raise Ended(Status.CRASHED, f"reported {reading.name} as {_quoted(value)}, which is not a number")
    return number


def _look_up(reading: Reading, folder: Path) -> Any:
    """Return a value of a JSON file; of a file of JSON lines, to which a program appends, the last one with the key."""
    content = _read_regular(folder, reading.json)
    if reading.json.endswith(TABLES):
        return _last_in_column(reading, content)
    is_lines = reading.json.endswith(JSON_LINES)
    # What ends a line is a line feed alone: strings may hold other separators.
    documents = [line for line in reversed(content.split(b"\n")) if line.strip()] if is_lines else [content]
    for document in documents:
        try:
            found: Any = json.loads(document, object_pairs_hook=_unambiguous)
        except (ValueError, RecursionError) as error:
            raise Ended(Status.CRASHED, f"left {reading.json}, which is not JSON: {error}") from error
        with contextlib.suppress(KeyError, IndexError, TypeError, ValueError):
            for key in reading.key.split("."):
                found = found[int(key)] if isinstance(found, list) else found[key]
            return found
    raise Ended(Status.CRASHED, f"left {reading.json} without the key {reading.key}")


def _last_in_column(reading: Reading, content: bytes) -> str:
    """Return the last value that is not empty in a column of a table."""
    rows = table_rows(content, reading.json)
    found = [row[reading.key] for row in rows if row.get(reading.key)]
    if not found:
        raise Ended(Status.CRASHED, f"left {reading.json} without a value in the column {reading.key}")
    return found[-1]


def table_rows(content: bytes, name: str) -> list[dict[str, str]]:
    """Return the rows of a table with a header line; empty for what is no table.

    Args:
        name: of the file, which tells what separates its cells.
    """
    separator = "\t" if name.endswith(".tsv") else ","
    lines = content.decode("utf-8-sig", "replace").splitlines()
    try:
        header, *rows = [row for row in csv.reader(lines, delimiter=separator) if row] or [[]]
    except csv.Error:
        return []
    # Cells without a head, and heads without a cell, are left out: a million of each would be a million million.
    return [{key.strip(): value.strip() for key, value in zip(header, row, strict=False)} for row in rows]


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {_quoted(twice)} stands twice in an object")
    return found


def _read_regular(folder: Path, name: str) -> bytes:
    """Return the content of a file that a candidate wrote: no link, pipe or device, and not too large."""
    path = folder / name
    inner = [parent for parent in path.parents if parent != folder and parent.is_relative_to(folder)]
    # Not Path.is_symlink, which raises in a folder that may not be entered.
    if any(map(os.path.islink, inner)):
        raise Ended(Status.CRASHED, f"left {name} behind a link")
    try:
        if path.exists() and not path.is_file():
            raise Ended(Status.CRASHED, f"left {name}, which is not a regular file")
        # It cannot be swapped any more: the process that wrote it has ended.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Ended(Status.CRASHED, f"left no readable {name}: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(_JSON_LIMIT_BYTES + 1)
    if len(content) > _JSON_LIMIT_BYTES:
        raise Ended(Status.CRASHED, f"left {name} with more than {_JSON_LIMIT_BYTES // 2**20} MiB")
    return content


def _quoted(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return repr(value)[:_QUOTED_CHARACTERS]
