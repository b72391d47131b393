"""Crossover by a three-way merge: what either parent changed since their common ancestor, as `git merge` would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from random import Random

from merge3 import Merge3

from operators.attempts import MAX_ATTEMPTS, Draft, first_accepted
from operators.proposal import NoOffspring, Parent, Proposal, Request
from populations.diversity import normal_form
from trainer.errors import counted
from trainer.genome import source_lines

Region = tuple[str, Sequence[str], Sequence[str]]
"""Kind (`both`, `first`, `second` or `conflict`), the first parent's lines, the second parent's lines."""


class _LineMatcher(SequenceMatcher[str]):
    """Matches also the lines that are frequent, such as blank ones, which `difflib` leaves out of long files."""

    def __init__(self, _is_junk: None, a: Sequence[str], b: Sequence[str]) -> None:
        super().__init__(None, a, b, autojunk=False)


class MergeCrossover:
    """Unites the changes of two parents; where they touch the same lines, one of them wins by chance."""

    name = "merge"
    arity = 2

    async def propose(self, request: Request) -> Proposal:
        """Return a merge of both parents (see `Operator.propose`)."""
        first, second = request.parents
        ancestor = request.known.context.common_ancestor
        if ancestor is None:
            raise NoOffspring("merge: the parents have no common ancestor")
        _check_both_changed(ancestor, first, second)
        regions = _regions(ancestor, first.source, second.source)
        conflicts = sum(kind == "conflict" for kind, _, _ in regions)
        attempts = min(MAX_ATTEMPTS, 2**conflicts * 2) if conflicts else 1
        return first_accepted(request, self.name, lambda: _resolved(regions, first, second, request.random), attempts)


def _check_both_changed(ancestor: str, first: Parent, second: Parent) -> None:
    original = normal_form(ancestor)
    for parent, other in ((first, second), (second, first)):
        if normal_form(parent.source) == original:
            raise NoOffspring(
                f"merge: parent {parent.id} is the common ancestor, so a merge would only repeat parent {other.id}"
            )


def _regions(ancestor: str, first: str, second: str) -> list[Region]:
    """Split the parents into regions that either, both or none of them changed."""
    base, a, b = (source_lines(source, keepends=True) for source in (ancestor, first, second))
    merge = Merge3(base, a, b, sequence_matcher=_LineMatcher)  # type: ignore[arg-type]  # it wants a list of plain tuples
    regions: list[Region] = []
    for kind, *sides in merge.merge_groups():
        match kind:
            case "a":
                regions.append(("first", sides[0], ()))
            case "b":
                regions.append(("second", (), sides[0]))
            case "conflict":
                regions.append(("conflict", sides[1], sides[2]))
            case _:
                regions.append(("both", sides[0], sides[0]))
    return regions


def _resolved(regions: list[Region], first: Parent, second: Parent, random: Random) -> Draft:
    """Join the regions, drawing a winner for each conflict."""
    lines: list[str] = []
    hunks: Counter[int] = Counter()
    conflicts = 0
    for kind, first_lines, second_lines in regions:
        side = random.choice(("first", "second")) if kind == "conflict" else kind
        conflicts += kind == "conflict"
        lines += second_lines if side == "second" else first_lines
        if side != "both":
            hunks[first.id if side == "first" else second.id] += 1
    shares = " and ".join(f"{counted(hunks[parent.id], 'hunk')} from {parent.id}" for parent in (first, second))
    settled = f", {counted(conflicts, 'conflict')} settled by chance" if conflicts else ""
    return Draft("".join(lines), f"merge: {shares}{settled}")
