"""How an individual becomes a commit and its evaluations a note: pure functions of the store's records.

The same records give the same bytes and so the same hashes, whenever and wherever they are projected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from evo.lineage.objects import GitObject
from evo.store import IndividualRecord, Outcome

GENOME_FILE = "train.py"
MAXIMUM_SUBJECT_LENGTH = 100
MAXIMUM_MESSAGE_LENGTH = 8000

_IDENTITY = "evo <evo@localhost>"

# Explicit ranges rather than Unicode categories, which change with the version of Python and would change hashes:
# C0 and C1 controls except the line feed, zero-width and bidirectional marks, byte order mark, surrogates, tags.
_INVISIBLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def tree_object(entries: Mapping[str, tuple[str, str]]) -> GitObject:
    """Return a tree; `entries` maps ASCII names to (mode, hexadecimal object name)."""
    body = b"".join(
        b"%s %s\0%s" % (mode.encode(), name.encode(), bytes.fromhex(target))
        for name, (mode, target) in sorted(entries.items())
    )
    return GitObject("tree", body)


def commit_object(tree: str, parents: Sequence[str], seconds: float, message: str) -> GitObject:
    """Return a commit dated `seconds` after 1970, UTC."""
    identity = f"{_IDENTITY} {max(0, int(seconds))} +0000"
    head = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {identity}", f"committer {identity}"]
    return GitObject("commit", ("\n".join(head) + f"\n\n{message}").encode())


def individual_objects(
    individual: IndividualRecord, source: str, parents: Sequence[str]
) -> tuple[GitObject, GitObject, GitObject]:
    """Return the genome's blob, its tree, and the commit of an individual whose parents have the given commits."""
    blob = GitObject("blob", source.encode())
    tree = tree_object({GENOME_FILE: ("100644", blob.name)})
    return blob, tree, commit_object(tree.name, parents, individual.created_at, message_of(individual))


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
    return f"{outcome.told}. {outcome.purpose}, seed {outcome.seed}, attempt {outcome.attempt} on {device}: {ending}"


def _clean(text: str) -> str:
    return _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\t", " "))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
