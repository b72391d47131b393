"""The events of a run for other programs: one JSON object a line, on stdout or in a file."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import select
import sys
from contextlib import ExitStack
from dataclasses import fields
from datetime import UTC, datetime
from io import FileIO
from typing import Any, Literal, Self, get_type_hints

from pydantic import AwareDatetime, ConfigDict, TypeAdapter, create_model

from evo.search.events import Event, Finished, NewBest, Proposed, Refused, Started, Stopped
from trainer.errors import UsageError

VERSION = 1
"""Of the format: fields and events may be added under the same number; nothing is renamed or taken away."""

STDOUT = "-"

_EVENTS: tuple[type[Event], ...] = (Proposed, Refused, Started, Finished, NewBest, Stopped)
_PATIENCE_MS = 5000
"""With a reader that reads nothing, which would else hold the search and its end."""
_OWN = {"stop"}  # a function, which no file can hold

_log = logging.getLogger(__name__)


class EventLog:
    """A callback that writes each event at once; what cannot be written any more is said once and ends nothing.

    Args:
        place: a file, which is appended to, or `-` for stdout.

    Raises:
        UsageError: the file cannot be opened.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._closing = ExitStack()
        self._is_broken = False
        try:
            self._file = self._closing.enter_context(_opened(place))
        except OSError as error:
            reason = "nobody reads this FIFO" if error.errno == errno.ENXIO else error.strerror
            raise UsageError(f"--events must name a file that can be written: {place}: {reason}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def __call__(self, event: Event) -> None:
        """Write one event."""
        if self._is_broken:
            return
        try:
            _write(self._file, json.dumps(to_json(event), default=dict).encode() + b"\n")
        except OSError as error:
            self._is_broken = True
            _log.warning("Events are no longer written to %s: %s. The run goes on.", self._place, error.strerror)


def to_json(event: Event) -> dict[str, Any]:
    """Return an event as the object that its line holds, dated now."""
    content = {one.name: getattr(event, one.name) for one in fields(event) if one.name not in _OWN}
    return {"version": VERSION, "event": _name(type(event)), "at": datetime.now(UTC).isoformat(), **content}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a line."""
    models = [_model(kind) for kind in _EVENTS]
    union: Any = models[0]
    for model in models[1:]:
        union |= model
    return TypeAdapter(union).json_schema(mode="serialization")


def _opened(place: str) -> FileIO:
    """Open a file or stdout without a buffer, of which a rest would have to be written at the end."""
    if place == STDOUT:
        return FileIO(sys.stdout.fileno(), "a", closefd=False)
    return FileIO(place, "a", opener=_at_once)


def _at_once(place: str, flags: int) -> int:
    """Open a file; a FIFO that nobody reads is an error instead of a wait."""
    return os.open(place, flags | os.O_NONBLOCK, 0o666)


def _write(file: FileIO, line: bytes) -> None:
    """Write a whole line, in parts that a pipe takes without blocking once it takes any."""
    ready = select.poll()
    ready.register(file, select.POLLOUT)
    while line:
        if not ready.poll(_PATIENCE_MS):
            raise TimeoutError(errno.ETIMEDOUT, "nobody reads there")
        line = line[file.write(line[: select.PIPE_BUF]) or 0 :]


def _name(kind: type[Event]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _model(kind: type[Event]) -> Any:
    """Return a description of one kind's lines, from the fields of its class."""
    hints = get_type_hints(kind)
    own: Any = {one.name: (hints[one.name], ...) for one in fields(kind) if one.name not in _OWN}
    head: Any = {"version": (Literal[1], ...), "event": (Literal[_name(kind)], ...), "at": (AwareDatetime, ...)}
    return create_model(kind.__name__, __doc__=kind.__doc__, __config__=ConfigDict(extra="allow"), **head, **own)
