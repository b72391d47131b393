"""How a request reaches a run: as a file in its folder, which the driver takes up and removes.

The store has one writer, the driver. So a request to steer is a file, durable and complete before it can be seen; a
live driver finds it within a second, and the driver of a resumed run before it begins anything. A file is removed only
after its event was committed: a kill in between leaves it, and the event says that it has acted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from evo.errors import RunFolderError
from evo.files import read_bytes, replace_file
from evo.steering.actions import Action
from trainer.errors import UsageError

_log = logging.getLogger(__name__)

_MOST_BYTES = 2**20


class Inbox:
    """The requests to a run that its driver has not taken up yet.

    Args:
        folder: holds a file for each; made by the first one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, action: Action) -> None:
        """Leave a request; the same one twice leaves one.

        Raises:
            RunFolderError: the folder cannot be written.
        """
        try:
            self._folder.mkdir(exist_ok=True)
            replace_file(self._path(action), json.dumps(action.to_json()), durable=True)
        except OSError as error:
            raise RunFolderError(
                f"The request could not be left in {self._folder}: {error.strerror}. Make the run folder writable."
            ) from error

    def is_empty(self) -> bool:
        """Return whether nothing waits; cheap enough for several times a second."""
        return not self._files()

    def waiting(self) -> list[Action]:
        """Return what waits, in the order in which it was asked."""
        return _in_order([one for _, one in self._readable() if isinstance(one, Action)])

    def pending(self) -> list[Action]:
        """Return what waits, as its driver takes it up: what is no request is put aside and logged."""
        actions = []
        for path, found in self._readable():
            if isinstance(found, Action):
                actions.append(found)
            else:
                _log.warning("%s is no request to a run, and is put aside: %s", path, found)
                path.replace(path.with_suffix(".unreadable"))
        return _in_order(actions)

    def remove(self, actions: Iterable[Action]) -> None:
        """Remove requests whose events are committed."""
        for action in actions:
            try:
                self._path(action).unlink(missing_ok=True)
            except OSError as error:  # its event says that it has acted
                _log.warning("A request to the run could not be removed: %s", error)

    def _files(self) -> list[Path]:
        try:
            return [path for path in self._folder.iterdir() if path.suffix == ".json"]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _readable(self) -> Iterator[tuple[Path, Action | Exception]]:
        """Yield each file with its request, or with what is wrong with it."""
        for path in self._files():
            try:
                yield path, self._read(path)
            except FileNotFoundError:
                continue  # taken up meanwhile
            except (OSError, ValueError, RecursionError, UsageError) as error:
                yield path, error

    def _read(self, path: Path) -> Action:
        content = read_bytes(path)
        if len(content) > _MOST_BYTES:
            raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
        action = Action.from_json(json.loads(content))
        if path != self._path(action):
            raise ValueError("its name is not its id")
        return action

    def _path(self, action: Action) -> Path:
        return self._folder / f"{action.id}.json"


def _in_order(actions: Iterable[Action]) -> list[Action]:
    return sorted(actions, key=lambda one: (one.at, one.id))
