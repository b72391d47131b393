"""The family tree as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from rich.console import Console

from evo.commands.views.terminal import literal, one_line, print_line, print_table, print_whole
from evo.runs.lifecycle import Viewed
from trainer.evaluation import Status
from trainer.objectives import Objective


@dataclass(frozen=True, slots=True)
class Member:
    """One individual in its family.

    Attributes:
        status: how its latest evaluation ended; None while it waits for its first result.
        objectives: means over its evaluations that ended OK; empty when it was only tried on a rung of the budget.
    """

    id: int
    parents: tuple[int, ...]
    operator: str
    idea: str
    status: Status | None
    objectives: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return asdict(self)


def read_family(viewed: Viewed) -> dict[int, Member]:
    """Return every individual of a run by id, oldest first."""
    statuses: dict[int, Status] = {}
    measured: dict[int, list[Mapping[str, float]]] = {}
    for outcome in viewed.store.outcomes():
        statuses[outcome.individual] = outcome.status
        if outcome.status is Status.OK and outcome.purpose.counts:
            measured.setdefault(outcome.individual, []).append(outcome.objectives)
    return {
        record.id: Member(
            id=record.id,
            parents=record.parents,
            operator=record.operator,
            idea=record.idea,
            status=statuses.get(record.id),
            objectives=_means(measured.get(record.id, [])),
        )
        for record in viewed.store.individuals()
    }


def ancestors(family: Mapping[int, Member], individual: int) -> list[Member]:
    """Return an individual and all that it descends from, itself first, generation 0 last."""
    line = {individual}
    for id_ in sorted(family, reverse=True):  # parents have lower ids than their children
        if id_ in line:
            line |= set(family[id_].parents)
    return [family[id_] for id_ in sorted(line, reverse=True)]


def print_ancestors(console: Console, members: Sequence[Member], objectives: Sequence[Objective]) -> None:
    """Print one line an individual, the youngest first, with some objectives under their labels."""
    rows = [
        (
            f"#{member.id}",
            " ".join(f"#{parent}" for parent in member.parents) or "-",
            literal(member.operator),
            *(_measured(member, objective) for objective in objectives),
            one_line(member.idea),
        )
        for member in members
    ]
    print_table(
        console,
        ("id", "parents", "operator", *(one.label for one in objectives), "idea"),
        rows,
        left=("parents", "operator", "idea"),
    )


def print_tree(console: Console, family: Mapping[int, Member], objective: Objective, best: int | None) -> None:
    """Print everyone under their first parent, with the second parent named after a `+`."""
    if objective.self_reported:
        print_whole(console, f"{literal(objective.label)} of everyone")
    children: dict[int, list[int]] = {}
    for member in family.values():
        if member.parents:
            children.setdefault(member.parents[0], []).append(member.id)
    for id_, branches in _walk(children, 0):
        member = family[id_]
        value = _measured(member, objective)
        other = "".join(f" + #{parent}" for parent in member.parents[1:])
        star = " [bold green]best[/]" if id_ == best else ""
        how = f"{literal(member.operator)}{other}"
        print_line(console, f"[dim]{branches}[/]#{id_} {value}{star}  [dim]{how}:[/] {one_line(member.idea)}")


def _walk(children: Mapping[int, Sequence[int]], root: int) -> Iterator[tuple[int, str]]:
    """Yield everyone below `root` and itself, with the branches to draw before it; deep trees need no recursion."""
    waiting = [(root, "", "")]
    while waiting:
        id_, branch, below = waiting.pop()
        yield id_, branch
        mine = children.get(id_, ())
        for place, child in reversed(list(enumerate(mine))):
            is_last = place == len(mine) - 1
            waiting.append((child, below + ("└ " if is_last else "├ "), below + ("  " if is_last else "│ ")))


def _measured(member: Member, objective: Objective) -> str:
    return objective.format(member.objectives[objective.name]) if member.objectives else _ending(member)


def _ending(member: Member) -> str:
    if member.status is Status.OK:
        return "only tried"
    return f"[red]{member.status}[/]" if member.status else "waiting"


def _means(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: fmean(one[name] for one in measured) for name in (measured[0] if measured else ())}
