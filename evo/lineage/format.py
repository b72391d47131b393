"""How an individual becomes a commit and its evaluations a note: pure functions of the store's records.

The same records give the same bytes and so the same hashes, whenever and wherever they are projected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from evo.lineage.objects import GitObject
from evo.store import IndividualRecord, Outcome
from trainer.genome import split

MAXIMUM_SUBJECT_LENGTH = 100
MAXIMUM_MESSAGE_LENGTH = 8000

_IDENTITY = "evo <evo@localhost>"

# Explicit ranges rather than Unicode categories, which change with the version of Python and would change hashes:
# C0 and C1 controls except the line feed, zero-width and bidirectional marks, byte order mark, surrogates, tags.
_INVISIBLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def tree_object(entries: Mapping[str, tuple[str, str]]) -> GitObject:
    """Return a tree; `entries` maps names to (mode, hexadecimal object name)."""
    # git sorts by bytes, and folders as if their names ended with a slash.
    in_order = sorted(entries.items(), key=lambda entry: (entry[0] + "/" * (entry[1][0] == "40000")).encode())
    body = b"".join(
        b"%s %s\0%s" % (mode.encode(), name.encode(), bytes.fromhex(target)) for name, (mode, target) in in_order
    )
    return GitObject("tree", body)


def commit_object(tree: str, parents: Sequence[str], seconds: float, message: str) -> GitObject:
    """Return a commit dated `seconds` after 1970, UTC."""
    identity = f"{_IDENTITY} {max(0, int(seconds))} +0000"
    head = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {identity}", f"committer {identity}"]
    return GitObject("commit", ("\n".join(head) + f"\n\n{message}").encode())


def individual_objects(
    individual: IndividualRecord, source: str, parents: Sequence[str], files: Sequence[str]
) -> list[GitObject]:
    """Return the blobs and trees of an individual's genome, then its commit on the commits `parents`."""
    blobs = {name: GitObject("blob", content.encode()) for name, content in split(source, files).items()}
    trees = _trees({PurePosixPath(name).parts: blob.name for name, blob in blobs.items()})
    commit = commit_object(trees[-1].name, parents, individual.created_at, message_of(individual))
    return [*blobs.values(), *trees, commit]


def _trees(blobs: Mapping[tuple[str, ...], str]) -> list[GitObject]:
    """Return the trees that hold blobs under the parts of their paths, the outermost last."""
    entries = {parts[0]: ("100644", name) for parts, name in blobs.items() if len(parts) == 1}
    found: list[GitObject] = []
    for folder in dict.fromkeys(parts[0] for parts in blobs if len(parts) > 1):
        within = {parts[1:]: name for parts, name in blobs.items() if parts[0] == folder and len(parts) > 1}
        found += _trees(within)
        entries[folder] = ("40000", found[-1].name)
    return [*found, tree_object(entries)]


def message_of(individual: IndividualRecord) -> str:
    """Return the commit message: the idea, cleaned and cut, then trailers that a script can read."""
    subject, _, rest = _clean(individual.idea).strip().partition("\n")
    trailers = f"Evo-Individual: {individual.id}\nEvo-Operator: {_clean(individual.operator).replace(chr(10), ' ')}"
    paragraphs = [
        _cut(subject.strip(), MAXIMUM_SUBJECT_LENGTH) or f"Individual {individual.id}",
        _cut(rest.strip(), MAXIMUM_MESSAGE_LENGTH),
        trailers,
    ]
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def note_object(outcomes: Sequence[Outcome]) -> GitObject:
    """Return the note of an individual: one line for each of its done evaluations, in the order of acceptance."""
    return GitObject("blob", "".join(f"{_line(outcome)}\n" for outcome in outcomes).encode())


def _line(outcome: Outcome) -> str:
    bpb = {f"val_bpb[{split}]": value for split, value in outcome.split_bpb.items()}
    measured = ", ".join(f"{name} {value!r}" for name, value in sorted({**outcome.objectives, **bpb}.items()))
    ending = f"{outcome.status}: {measured}" if measured else str(outcome.status)
    device = _clean(outcome.device).replace("\n", " ")
    purpose = (
        outcome.purpose
        if outcome.budget_fraction == 1
        else f"{outcome.purpose} with {outcome.budget_fraction:g} of the budget"
    )
    return f"{outcome.result_number}. {purpose}, seed {outcome.seed}, attempt {outcome.attempt} on {device}: {ending}"


def _clean(text: str) -> str:
    return _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\t", " "))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
