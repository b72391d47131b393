"""Evaluations as git notes: a tree of up to 256 subtrees, of which only the changed ones are written.

The notes' commit has no parent and carries the time of the newest result, so it depends on the state alone and not on
when or how often it was projected.
"""

from __future__ import annotations

from collections.abc import Callable

from evo.lineage.format import commit_object, note_object, tree_object
from evo.lineage.objects import LooseObjects
from evo.store import StoreView

_MESSAGE = "Notes on the evaluations\n"


class Notes:
    """The notes in memory, as far as they have been written.

    Attributes:
        commit: hexadecimal name of the newest notes' commit; empty while there is none.
    """

    def __init__(self, objects: LooseObjects) -> None:
        self.commit = ""
        self._objects = objects
        self._subtrees: dict[str, dict[str, str]] = {}
        self._root: dict[str, str] = {}
        self._told = 0
        self._newest_seconds = 0.0

    def update(self, store: StoreView, commit_of: Callable[[int], str]) -> bool:
        """Write the notes of every individual with results newer than the last update; return whether any was."""
        noted: set[int] = set()
        for outcome in store.outcomes(after=self._told):
            noted.add(outcome.individual)
            self._told = outcome.result_number
            self._newest_seconds = max(self._newest_seconds, outcome.finished_at)
        if noted:
            self._write({commit_of(individual): self._write_note(store, individual) for individual in noted})
        return bool(noted)

    def _write_note(self, store: StoreView, individual: int) -> str:
        # Results that came in after `_told` was read belong to the next update.
        note = note_object(
            [outcome for outcome in store.outcomes_of(individual) if outcome.result_number <= self._told]
        )
        self._objects.write(note)
        return note.name

    def _write(self, notes: dict[str, str]) -> None:
        for commit, note in notes.items():
            self._subtrees.setdefault(commit[:2], {})[commit[2:]] = note
        for prefix in {commit[:2] for commit in notes}:
            subtree = tree_object({name: ("100644", note) for name, note in self._subtrees[prefix].items()})
            self._objects.write(subtree)
            self._root[prefix] = subtree.name
        root = tree_object({prefix: ("40000", subtree) for prefix, subtree in self._root.items()})
        newest = commit_object(root.name, (), self._newest_seconds, _MESSAGE)
        self._objects.write(root)
        self._objects.write(newest)
        self.commit = newest.name
