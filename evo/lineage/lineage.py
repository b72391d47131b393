"""The family tree as a bare git repository, written after the store and always rebuildable from it.

    refs/individuals/0c/0000000c   a commit: its tree holds the genome, its parents are the individual's parents
    refs/notes/evaluations         notes on those commits: `git log --notes=evaluations --graph --all`
    refs/heads/best, HEAD          the best individual

Commits, trees and notes are pure functions of the store's records, so projecting again gives the same hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from evo.errors import LineageError, unwritten
from evo.lineage.format import individual_objects
from evo.lineage.notes import Notes
from evo.lineage.objects import LooseObjects
from evo.lineage.refs import BEST, NOTES, Refs, individual_ref
from evo.lineage.writer import FamilyTree
from evo.store import IndividualRecord, StoreView

PACK_EVERY = 500
"""Refs written between two packings."""

_HEAD = f"ref: {BEST}\n"
_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tbare = true
\tfilemode = true
\tlogallrefupdates = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""


class Lineage(FamilyTree):
    """The one writer of a run's repository; its caller must hold the lock of the run folder.

    It keeps the refs in memory and runs git only to pack them.
    """

    def __init__(self, path: Path, files: Sequence[str] = ("train.py",)) -> None:
        self.path = path
        self._files = files
        self._objects = LooseObjects(path / "objects")
        self._refs = Refs(path)
        self._targets: dict[str, str] = {}
        self._notes = Notes(self._objects)
        self._loose_refs = 0

    @classmethod
    def open(cls, path: Path, files: Sequence[str] = ("train.py",)) -> Self:
        """Open the repository at `path`; make it, or what a kill left out of it.

        Raises:
            LineageError: the disk refused.
        """
        lineage = cls(path, files)
        with _disk_errors(path):
            lineage._lay_out()
            lineage._targets = lineage._refs.read()
            lineage._loose_refs = lineage._refs.loose_count()
        return lineage

    def commit_of(self, individual: int) -> str:
        """Return the hexadecimal name of an individual's commit; raise LineageError when it has none."""
        try:
            return self._targets[individual_ref(individual)]
        except KeyError:
            raise LineageError(
                f"Individual {individual} was expected to have a commit in {self.path}, but it has none. "
                f"`evo resume` writes what is missing from the store."
            ) from None

    def project(self, individual: IndividualRecord, source: str) -> str:
        """Write what is missing of an individual's commit and ref, and return the commit's name.

        Its parents must have their commits already; otherwise LineageError is raised.
        """
        parents = [self.commit_of(parent) for parent in individual.parents]
        objects = individual_objects(individual, source, parents, self._files)
        commit = objects[-1].name
        with _disk_errors(self.path):
            for item in objects:
                self._objects.write(item)
            self._point(individual_ref(individual.id), commit)
        return commit

    def project_missing(self, store: StoreView) -> int:
        """Write what is missing or damaged of all individuals and notes; return how many objects and refs that were.

        It reads every object to compare its hash, so its time grows with the run.
        """
        objects_before, refs_before = self._objects.written, self._refs.written
        with _disk_errors(self.path):
            self._targets = self._refs.read()
        for individual in store.individuals():
            self.project(individual, store.source(individual.id))
        self._notes = Notes(self._objects)
        self.project_notes(store)
        return self._objects.written - objects_before + self._refs.written - refs_before

    def project_notes(self, store: StoreView) -> None:
        """Bring the notes up to the store's newest result; the cost depends on how many results are new."""
        with _disk_errors(self.path):
            if self._notes.update(store, self.commit_of):
                self._point(NOTES, self._notes.commit)

    def set_best(self, individual: int) -> None:
        """Point `refs/heads/best`, and with it HEAD, at an individual."""
        commit = self.commit_of(individual)
        with _disk_errors(self.path):
            self._point(BEST, commit)

    def _lay_out(self) -> None:
        self._refs.remove_stale_locks()
        self._refs.remove_damaged()
        for folder in ("objects/info", "objects/pack", "refs/heads"):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        self._objects.remove_unfinished()
        for name, content in (("HEAD", _HEAD), ("config", _CONFIG)):
            file = self.path / name
            # What a person has changed, such as a remote to push to, stays.
            if not file.exists() or not file.stat().st_size:
                file.write_text(content, encoding="utf-8")

    def _point(self, ref: str, target: str) -> None:
        if self._targets.get(ref) == target:
            return
        self._refs.write(ref, target)
        self._targets[ref] = target
        self._loose_refs += 1
        if self._loose_refs >= PACK_EVERY:
            self._refs.pack()
            self._loose_refs = 0


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Turn what the file system raises inside the block into a LineageError that says what to do."""
    try:
        yield
    except OSError as error:
        raise LineageError(unwritten(path, error)) from error
