"""The family tree as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console

from evo.commands.views.terminal import idea_beside, literal, print_line, print_table, print_whole
from evo.standings.individuals import Standing
from trainer.evaluation import Status
from trainer.objectives import Objective


def ancestors(family: Mapping[int, Standing], individual: int) -> list[Standing]:
    """Return an individual and all that it descends from, itself first, generation 0 last."""
    line = {individual}
    for id_ in sorted(family, reverse=True):  # parents have lower ids than their children
        if id_ in line:
            line |= set(family[id_].parents)
    return [family[id_] for id_ in sorted(line, reverse=True)]


def print_ancestors(console: Console, members: Sequence[Standing], objectives: Sequence[Objective]) -> None:
    """Print one line an individual, the youngest first, with some objectives under their labels."""
    rows = [
        (
            f"#{member.id}",
            " ".join(f"#{parent}" for parent in member.parents) or "-",
            literal(member.operator),
            *(_measured(member, objective) for objective in objectives),
            idea_beside(member.operator, member.idea),
        )
        for member in members
    ]
    print_table(
        console,
        ("id", "parents", "operator", *(one.label for one in objectives), "idea"),
        rows,
        left=("parents", "operator", "idea"),
    )


def print_tree(console: Console, family: Mapping[int, Standing], objective: Objective, best: int | None) -> None:
    """Print every individual below its first parent, with the second parent after a `+`."""
    if objective.self_reported:
        print_whole(console, f"{literal(objective.label)} of each individual")
    children: dict[int, list[int]] = {}
    for member in family.values():
        if member.parents:
            children.setdefault(member.parents[0], []).append(member.id)
    for id_, branches in _walk(children, 0):
        member = family[id_]
        value = _measured(member, objective)
        other = "".join(f" + #{parent}" for parent in member.parents[1:])
        star = " [bold green]best[/]" if id_ == best else ""
        star += " [red]infeasible[/]" if member.broken else ""
        how = f"{literal(member.operator)}{other}"
        print_line(
            console,
            f"[dim]{branches}[/]#{id_} {value}{star}  [dim]{how}:[/] {idea_beside(member.operator, member.idea)}",
        )


def _walk(children: Mapping[int, Sequence[int]], root: int) -> Iterator[tuple[int, str]]:
    """Yield `root` and all its descendants with the branches to draw before them; without recursion, for deep trees."""
    waiting = [(root, "", "")]
    while waiting:
        id_, branch, below = waiting.pop()
        yield id_, branch
        mine = children.get(id_, ())
        for place, child in reversed(list(enumerate(mine))):
            is_last = place == len(mine) - 1
            waiting.append((child, below + ("└ " if is_last else "├ "), below + ("  " if is_last else "│ ")))


def _measured(member: Standing, objective: Objective) -> str:
    return objective.format(member.objectives[objective.name]) if member.objectives else _ending(member)


def _ending(member: Standing) -> str:
    if member.status is Status.OK:
        return "only tried"
    return f"[red]{member.status}[/]" if member.status else "waiting"
