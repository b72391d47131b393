"""The invariants of a run: store, lineage and refs agree, and nothing was lost or counted twice.

It writes nothing and works on live, killed and finished runs. What every kill leaves behind, for `evo resume` to go on
from, is a note; other damage that resume repairs is a warning; what must never happen is an error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from evo.errors import DamagedConfig, LineageError, StoreError
from evo.lineage import individual_ref
from evo.lineage.format import individual_objects, note_object
from evo.lineage.objects import GitObject, LooseObjects
from evo.lineage.refs import BEST, NOTES, Refs, individual_of, run_git, unreadable
from evo.runs.folder import RunFolder
from evo.runs.generation_zero import genome_files
from evo.runs.sealing import config_file, is_sealed, sealed_config
from evo.store import IndividualRecord, Outcome, Store, StoreView
from evo.text import sha256


class Severity(StrEnum):
    """How bad a violation is."""

    NOTE = "note"
    """Unfinished, as in every run that was killed; `evo resume` goes on from there."""
    WARNING = "warning"
    """Damage without loss; `evo resume` repairs it."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that does not hold; `where` is config, store, lineage or replay."""

    severity: Severity
    where: str
    message: str


def check_run(path: Path) -> list[Violation]:
    """Return every invariant that does not hold for the run in the folder `path`.

    Raises:
        RunFolderError: there is no run at `path`.
    """
    folder = RunFolder.open(path)
    is_live = folder.driver() is not None
    try:
        with Store.read(folder.store) as store:
            found = [
                *(_check_config(folder) if is_sealed(store) else ()),
                *_check_store(store, is_live),
                *_check_lineage(folder.lineage, store, is_live),
            ]
    except StoreError as error:
        found = [Violation(Severity.ERROR, "store", str(error))]
    return found


def _check_store(store: StoreView, is_live: bool) -> Iterator[Violation]:
    for breach in store.breaches():
        yield Violation(Severity.ERROR, "store", breach)
    if not is_live:
        running = [str(evaluation.id) for evaluation in store.running()]
        if running:
            what = f"evaluation{'s' * (len(running) > 1)} {', '.join(running)}"
            yield Violation(Severity.NOTE, "store", f"the driver ended during {what}; `evo resume` repeats that")


def _check_config(folder: RunFolder) -> Iterator[Violation]:
    sealed = sealed_config(folder)
    try:
        text = config_file(folder, sealed)
    except DamagedConfig as damage:
        if sealed is None:
            yield Violation(Severity.ERROR, "config", f"{damage}, and the store does not have it")
        else:
            yield Violation(Severity.WARNING, "config", f"{damage}; `evo resume` writes it again from the store")
        return
    if sealed is not None and text != sealed:
        message = f"{folder.config} was edited since the run was last driven; `evo resume` asks for --accept-changes"
        yield Violation(Severity.WARNING, "config", message)


def _check_lineage(repository: Path, store: StoreView, is_live: bool) -> Iterator[Violation]:
    found = [
        _error(f"{path} is neither a file nor a folder; `evo resume` replaces it") for path in unreadable(repository)
    ]
    yield from found or _LineageCheck(repository, store).violations(is_live)


class _LineageCheck:
    """Compares the repository with what the store's records would make of it."""

    def __init__(self, repository: Path, store: StoreView) -> None:
        self._repository = repository
        self._store = store
        self._files = genome_files(store)
        # Refs are read before rows: a live driver writes a row first, so each of these refs must find its row.
        self._refs = Refs(repository).read()
        self._objects = LooseObjects(repository / "objects")
        self._packed = _packed_objects(repository)
        self._commits: dict[int, str] = {}
        self._behind = 0

    def violations(self, is_live: bool) -> Iterator[Violation]:
        for individual in self._store.individuals():
            yield from self._check_individual(individual)
        yield from self._check_refs()
        yield from self._check_notes()
        if self._behind and not is_live:
            message = f"{self._behind} individuals or notes are not yet in {self._repository}; `evo resume` writes them"
            yield Violation(Severity.NOTE, "lineage", message)

    def _check_individual(self, individual: IndividualRecord) -> Iterator[Violation]:
        source = self._store.source(individual.id)
        if sha256(source) != individual.genome_sha256:
            message = f"the genome of individual {individual.id} does not have the hash it was stored under"
            yield Violation(Severity.ERROR, "store", message)
        unknown = [parent for parent in individual.parents if parent not in self._commits]
        if unknown:
            message = f"individual {individual.id} has parents {unknown}, which are not older individuals"
            yield Violation(Severity.ERROR, "store", message)
            return
        parents = [self._commits[parent] for parent in individual.parents]
        objects = individual_objects(individual, source, parents, self._files)
        expected = objects[-1].name
        self._commits[individual.id] = expected
        found = self._refs.get(individual_ref(individual.id))
        if found is None:
            self._behind += 1
        elif found != expected:
            yield _error(f"the commit of individual {individual.id} should be {expected}, but its ref names {found}")
        else:
            yield from self._check_objects(f"individual {individual.id}", objects)

    def _check_objects(self, owner: str, objects: Sequence[GitObject]) -> Iterator[Violation]:
        for item in objects:
            if item.name not in self._packed and not self._objects.is_intact(item.name):
                yield _error(f"the {item.kind} {item.name} of {owner} is missing or damaged; resume writes it again")

    def _check_refs(self) -> Iterator[Violation]:
        for ref in self._refs:
            individual = individual_of(ref)
            if individual is not None and individual not in self._commits:
                yield _error(f"{ref} names an individual that the store does not have")
        best = self._refs.get(BEST)
        if best is not None and best not in self._commits.values():
            yield _error(f"{BEST} names {best}, which is the commit of no individual")

    def _check_notes(self) -> Iterator[Violation]:
        try:
            noted = _noted(self._repository, self._refs.get(NOTES))
        except LineageError as error:
            yield _error(str(error))
            return
        outcomes: dict[int, list[Outcome]] = defaultdict(list)
        for outcome in self._store.outcomes():
            outcomes[outcome.individual].append(outcome)
        for individual, known in outcomes.items():
            yield from self._check_note(individual, known, noted.pop(self._commits.get(individual, ""), None))
        for commit in noted:
            yield _error(f"there is a note on {commit}, which is no evaluated individual")

    def _check_note(self, individual: int, outcomes: list[Outcome], found: str | None) -> Iterator[Violation]:
        # Notes are written once a generation, so a note may lack the newest outcomes, but never an older one.
        versions = [note_object(outcomes[:count]) for count in range(1, len(outcomes) + 1)]
        matching = [version for version in versions if version.name == found]
        if found is None or (matching and matching[0] is not versions[-1]):
            self._behind += 1
        if matching:
            yield from self._check_objects(f"the note on individual {individual}", (matching[0],))
        elif found is not None:
            yield _error(f"the note on individual {individual} does not say what the store says")


def _error(message: str) -> Violation:
    return Violation(Severity.ERROR, "lineage", message)


def _noted(repository: Path, notes: str | None) -> dict[str, str]:
    """Return the name of the note's blob by the name of the commit that it is on."""
    if notes is None:
        return {}
    # Each line is `100644 blob NAME<tab>ab/cdef…`.
    lines = run_git(repository, "ls-tree", "-r", "--full-tree", notes).splitlines()
    return {path.replace("/", ""): entry.split()[2] for entry, path in (line.split("\t") for line in lines)}


def _packed_objects(repository: Path) -> frozenset[str]:
    """Return the names of all objects where a user packed the repository; git itself checks packed objects."""
    if not any((repository / "objects" / "pack").glob("*.pack")):
        return frozenset()
    listing = run_git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return frozenset(listing.splitlines())
