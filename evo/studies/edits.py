"""The change of an individual against generation 0, as edits that can be made and left out one by one.

A line diff gives the pieces: each changed block, cut once more where it changes several assignments or holds several
definitions. Pieces that cannot stand alone are joined with what they need, which is found by trying: an edit made alone
to generation 0, and the individual without it, must be programs of the task that miss no name, attribute or argument
which both generation 0 and the individual have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property

from evo.studies.names import missing_names
from evo.text import listed
from operators.proposal import Refused
from operators.source.constants import Constant, find_constants
from populations.diversity import normal_form
from trainer import genome
from trainer.languages import PYTHON, language_of
from trainer.source_text import UNREADABLE, parse

Check = Callable[[str], object]
"""Raises `Refused` for a genome that its task cannot run."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_ASSIGNMENT = re.compile(r"(\s*[A-Za-z_][\w.]*)\s*(?::[^=]*)?=(?!=)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_MOST_PARTNERS = 12
_TITLE_LENGTH = 60
_TITLE_PARTS = 3
_SAYS_LITTLE = ("import ", "from ", '"""', "@")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of generation 0 that the individual replaces; line numbers count from 0 through the whole genome.

    Attributes:
        start: first line of generation 0 that goes.
        old: lines that go; none for an insertion.
        after: first line of the individual that comes.
        new: lines that come; none for a deletion.
        is_layout: whether the program does the same with it and without it.
    """

    start: int
    old: tuple[str, ...]
    after: int
    new: tuple[str, ...]
    is_layout: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """One part of a change.

    Attributes:
        hunks: indices of its pieces.
        title: the constants that it changes, as `LR 0.01 → 0.02`, or its first changed line.
        added: lines.
        removed: lines.
    """

    hunks: frozenset[int]
    title: str
    added: int
    removed: int


@dataclass(frozen=True)
class Change:
    """Everything in which an individual differs from generation 0.

    Attributes:
        hunks: the pieces, in their order.
        edits: they share out the hunks between them, in the order of their first ones; none when both are the same
            program.
    """

    before: str
    after: str
    hunks: tuple[Hunk, ...]
    edits: tuple[Edit, ...]

    def made(self, edits: Iterable[Edit]) -> str:
        """Return generation 0 with some of the edits."""
        return _applied(_lines(self.before), self.hunks, {index for edit in edits for index in edit.hunks})

    def alone(self, edit: Edit) -> str:
        """Return generation 0 with one edit."""
        return self.made([edit])

    def without(self, edit: Edit) -> str:
        """Return the individual without one edit."""
        return self.made(other for other in self.edits if other is not edit)

    @cached_property
    def programs(self) -> tuple[str, ...]:
        """The programs that tell what each edit does: generation 0, the individual, then every edit's two; no twins."""
        variants = [program for edit in self.edits for program in (self.alone(edit), self.without(edit))]
        return tuple(dict.fromkeys([self.before, self.after, *variants]))

    def grouped(self, most_programs: int) -> Change:
        """Return the change with neighbouring edits joined, the smallest first, until its programs are few enough."""
        change = self
        while len(change.programs) > most_programs and len(change.edits) > 1:
            sizes = [edit.added + edit.removed for edit in change.edits]
            first = min(range(len(sizes) - 1), key=lambda index: sizes[index] + sizes[index + 1])
            groups = [edit.hunks for edit in change.edits]
            groups[first : first + 2] = [groups[first] | groups[first + 1]]
            change = Change(self.before, self.after, self.hunks, _edits(self.before, self.after, self.hunks, groups))
        return change


def split_change(before: str, after: str, names: Sequence[str], check: Check) -> Change:
    """Return the change between two genomes; `check` refuses a genome that the task cannot run."""
    hunks = tuple(_hunks(genome.split(before, names), genome.split(after, names), before))
    mixtures = _Mixtures(before, after, hunks, names, check)
    groups = _joined(mixtures)
    telling = frozenset(index for group in groups for index in group)
    hunks = tuple(replace(hunk, is_layout=index not in telling) for index, hunk in enumerate(hunks))
    return Change(before, after, hunks, _edits(before, after, hunks, _with_layout(hunks, groups)))


def _lines(text: str) -> list[str]:
    return _LINE.findall(text)


def _applied(lines: Sequence[str], hunks: Sequence[Hunk], chosen: Iterable[int]) -> str:
    parts, position = [], 0
    for index in sorted(chosen):
        hunk = hunks[index]
        parts += [*lines[position : hunk.start], *hunk.new]
        position = hunk.start + len(hunk.old)
    return "".join([*parts, *lines[position:]])


# Pieces


def _hunks(old: dict[str, str], new: dict[str, str], before: str) -> Iterator[Hunk]:
    """Return the pieces, file by file: a line never moves from one to another."""
    marker = 1 if genome.marked_lines(before) else 0
    start = after = 0
    for name, text in old.items():
        start, after = start + marker, after + marker
        theirs, ours = _lines(text), _lines(new[name])
        for hunk in _file_hunks(theirs, ours):
            yield Hunk(start + hunk.start, hunk.old, after + hunk.after, hunk.new)
        start, after = start + len(theirs), after + len(ours)
    assert start == len(_lines(before))  # noqa: S101 - the files are all there is


def _file_hunks(old: Sequence[str], new: Sequence[str]) -> Iterator[Hunk]:
    for _, i1, i2, j1, j2 in _differences(old, new):
        ours, theirs = old[i1:i2], new[j1:j2]
        old_keys, new_keys = ([_key(line) for line in side] for side in (ours, theirs))
        # Within a changed block, lines that assign the same name belong together.
        matcher = SequenceMatcher(None, old_keys, new_keys, autojunk=False)
        for tag, a1, a2, b1, b2 in matcher.get_opcodes():
            if tag == "equal":
                pairs = zip(range(a1, a2), range(b1, b2), strict=True)
                yield from (Hunk(i1 + a, (ours[a],), j1 + b, (theirs[b],)) for a, b in pairs if ours[a] != theirs[b])
            elif tag == "insert":
                for first, last in _definitions(theirs, b1, b2):
                    yield Hunk(i1 + a1, (), j1 + first, tuple(theirs[first:last]))
            elif tag == "delete":
                for first, last in _definitions(ours, a1, a2):
                    yield Hunk(i1 + first, tuple(ours[first:last]), j1 + b1, ())
            else:
                (_, first_end), *rest = _definitions(theirs, b1, b2)
                yield Hunk(i1 + a1, tuple(ours[a1:a2]), j1 + b1, tuple(theirs[b1:first_end]))
                yield from (Hunk(i1 + a2, (), j1 + first, tuple(theirs[first:last])) for first, last in rest)


def _differences(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    return (code for code in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal")


def _key(line: str) -> str:
    match = _ASSIGNMENT.match(line)
    return match[1] if match else line


def _definitions(lines: Sequence[str], begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a range of lines where something begins at the left edge after an empty line."""
    cuts = [index for index in range(begin + 1, end) if not lines[index - 1].strip() and not lines[index][:1].isspace()]
    return zip([begin, *cuts], [*cuts, end], strict=True)


# Joining


class _Mixtures:
    """Generation 0 with some of the pieces, and what is wrong with that."""

    def __init__(self, before: str, after: str, hunks: Sequence[Hunk], names: Sequence[str], check: Check) -> None:
        self.hunks = hunks
        self.all = frozenset(range(len(hunks)))
        self._lines = _lines(before)
        self._names = names
        self._check = check
        self._known: dict[frozenset[int], frozenset[str] | None] = {}
        self._missing_anyway = self._missing(before) | self._missing(after)

    def text(self, chosen: frozenset[int]) -> str:
        """Return generation 0 with the chosen pieces."""
        return _applied(self._lines, self.hunks, chosen)

    def form(self, chosen: frozenset[int]) -> str | None:
        """Return what a mixture does, whatever its layout and comments; None for no program."""
        try:
            return normal_form(self.text(chosen))
        except UNREADABLE:
            return None

    def faults(self, chosen: frozenset[int]) -> frozenset[str] | None:
        """Return what a mixture misses that neither of the two programs misses; None if it is no program."""
        if chosen not in self._known:
            self._known[chosen] = self._faults(self.text(chosen))
        return self._known[chosen]

    def stands_alone(self, group: frozenset[int]) -> bool:
        """Return whether a group can be made alone, and be left out."""
        return self.faults(group) == self.faults(self.all - group) == frozenset()

    def cost(self, group: frozenset[int]) -> float:
        """Return how far a group is from standing alone; 0 for one that does."""
        found = (self.faults(group), self.faults(self.all - group))
        return sum(1000.0 if faults is None else len(faults) for faults in found)

    def words(self, group: frozenset[int]) -> frozenset[str]:
        """Return the names in what is missing, alone or left out."""
        found = (self.faults(group), self.faults(self.all - group))
        return frozenset(word for faults in found for fault in faults or () for word in _WORD.findall(fault))

    def mention(self, group: frozenset[int], words: frozenset[str]) -> bool:
        """Return whether the lines of a group hold one of the words."""
        return any(
            not words.isdisjoint(_WORD.findall(line))
            for index in group
            for line in (*self.hunks[index].old, *self.hunks[index].new)
        )

    def _faults(self, text: str) -> frozenset[str] | None:
        try:
            self._check(text)
            return self._missing(text) - self._missing_anyway
        except (Refused, *UNREADABLE):
            return None

    def _missing(self, text: str) -> frozenset[str]:
        files = genome.split(text, self._names)
        return missing_names({name: parse(files[name]) for name in files if language_of(name) is PYTHON})


def _joined(mixtures: _Mixtures) -> list[frozenset[int]]:
    """Return the smallest groups of pieces that can be found to stand alone; mere layout belongs to none of them."""
    nothing, everything = mixtures.form(frozenset()), mixtures.form(mixtures.all)
    groups = [
        group
        for group in (frozenset({index}) for index in sorted(mixtures.all))
        if mixtures.form(group) != nothing or mixtures.form(mixtures.all - group) != everything
    ]
    while len(groups) > 1:
        dependent = next((group for group in groups if not mixtures.stands_alone(group)), None)
        if dependent is None:
            break
        partner = _partner(mixtures, groups, dependent)
        joined = [group for group in groups if group not in (dependent, partner)]
        groups = sorted([*joined, dependent | partner], key=min)
    return groups


def _partner(mixtures: _Mixtures, groups: Sequence[frozenset[int]], dependent: frozenset[int]) -> frozenset[int]:
    """Return the group that goes best with one that cannot stand alone; the nearest of several."""
    place = groups.index(dependent)
    by_distance = sorted((index for index in range(len(groups)) if index != place), key=lambda i: abs(i - place))
    words = mixtures.words(dependent)
    neighbours = [groups[index] for index in by_distance[:2]]
    named = [groups[index] for index in by_distance if mixtures.mention(groups[index], words)]
    candidates = list(dict.fromkeys([*named[:_MOST_PARTNERS], *neighbours]))
    return min(candidates, key=lambda candidate: mixtures.cost(dependent | candidate))


def _with_layout(hunks: Sequence[Hunk], groups: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Return the groups, each with the pieces of mere layout that stand nearest to it."""
    complete = list(groups)
    for index, hunk in enumerate(hunks):
        if hunk.is_layout and groups:
            nearest = min(range(len(groups)), key=lambda g: min(abs(index - other) for other in groups[g]))
            complete[nearest] |= {index}
    return complete


# Description


def _edits(before: str, after: str, hunks: Sequence[Hunk], groups: Iterable[frozenset[int]]) -> tuple[Edit, ...]:
    constants = find_constants(before), find_constants(after)
    return tuple(
        Edit(
            hunks=group,
            title=_title([hunks[index] for index in sorted(group) if not hunks[index].is_layout], *constants),
            added=sum(len(hunks[index].new) for index in group),
            removed=sum(len(hunks[index].old) for index in group),
        )
        for group in groups
    )


def _title(hunks: Sequence[Hunk], old: dict[str, Constant], new: dict[str, Constant]) -> str:
    constants: list[str] = []
    lines: list[str] = []
    for hunk in hunks:
        renewed = list(_renewed(hunk, old, new))
        constants += renewed
        come = [line.strip() for line in hunk.new if _counts(line)]
        if len(renewed) < len(come):
            lines += come
        elif not come:
            lines += [f"without {line.strip()}" for line in hunk.old if _counts(line)]
    telling = [line for line in lines if not line.startswith(_SAYS_LITTLE)] or lines
    return listed([*map(_cut, (*constants, *telling[:1]))], _TITLE_PARTS)


def _renewed(hunk: Hunk, old: dict[str, Constant], new: dict[str, Constant]) -> Iterator[str]:
    """Return the constants that a piece gives another value."""
    for name, constant in new.items():
        before = old.get(name)
        if (
            before is not None
            and before.text != constant.text
            and hunk.start <= before.line - 1 < hunk.start + len(hunk.old)
            and hunk.after <= constant.line - 1 < hunk.after + len(hunk.new)
        ):
            yield f"{name} {before.text} → {constant.text}"


def _counts(line: str) -> bool:
    """Return whether a line is more than a comment, as far as one can see from it alone."""
    text = line.strip()
    return bool(text) and not text.startswith(("#", "//"))


def _cut(text: str) -> str:
    return text if len(text) <= _TITLE_LENGTH else f"{text[: _TITLE_LENGTH - 1]}…"
