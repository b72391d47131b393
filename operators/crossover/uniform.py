"""Uniform crossover (Syswerda 1989) over code: each constant and each top-level definition comes from either parent."""

from __future__ import annotations

from random import Random

from operators.attempts import Draft, feasible_sources, first_accepted
from operators.proposal import NoOffspring, Parent, Proposal, Request
from operators.protection import Protection
from operators.source.definitions import Definition, Outline
from trainer.source_text import Splice, spliced

_SHOWN_NAMES = 6


class UniformCrossover:
    """Takes about half of what distinguishes two parents from each.

    One parent, chosen by chance, is the base: its order, its comments and all that only it has stay. Definitions that
    only the other has come along when something taken from it needs them, and so do imports.
    """

    name = "uniform"
    arity = 2

    async def propose(self, request: Request) -> Proposal:
        """Return a mixture of both parents (see `Operator.propose`)."""
        first, second = request.parents
        outlines = {parent.id: Outline(parent.source) for parent in request.parents}

        def draw() -> Draft:
            base, other = request.random.sample((first, second), 2)
            return _mixed(base, outlines[base.id], other, outlines[other.id], request.random, request.protection)

        return first_accepted(request, self.name, draw, is_feasible=feasible_sources(request))


def _mixed(
    base: Parent, base_outline: Outline, other: Parent, other_outline: Outline, random: Random, protection: Protection
) -> Draft:
    """Return `base` with about half of the shared, differing definitions and constants of `other`."""
    definitions, constants = _differences(base_outline, other_outline)
    fixed = protection.lines(base.source)
    # What is protected as a whole differs in comments at most.
    definitions = [name for name in definitions if not set(base_outline.definitions[name].lines) <= fixed]
    constants = [name for name in constants if base_outline.constants[name].line not in fixed]
    names = [*constants, *definitions]
    if not names:
        raise NoOffspring(f"uniform: {base.id} and {other.id} share no definition or constant in which they differ")
    taken = [name for name in names if random.random() < 0.5] or [random.choice(names)]
    brought = _brought([name for name in taken if name in definitions], base_outline, other_outline)
    splices = _insertions(brought, [name for name in taken if name in definitions], base_outline, other_outline)
    splices += [_taken(name, base_outline, other_outline) for name in taken]
    company = f", which need {_listed(brought)}" if brought else ""
    return Draft(spliced(base.source, splices), f"uniform: {base.id} with {_listed(taken)} of {other.id}{company}")


def _differences(base: Outline, other: Outline) -> tuple[list[str], list[str]]:
    """Return the names of the definitions and of the constants that both have and write differently."""
    definitions = [
        name
        for name, definition in base.definitions.items()
        if name in other.definitions and other.definitions[name].text != definition.text
    ]
    constants = [
        name
        for name, constant in base.constants.items()
        if name in other.constants and other.constants[name].text != constant.text
    ]
    return definitions, constants


def _taken(name: str, base: Outline, other: Outline) -> Splice:
    if name in base.constants:
        constant = base.constants[name]
        return Splice(constant.start, constant.end, other.constants[name].text)
    definition = base.definitions[name]
    return Splice(definition.start, definition.end, other.definitions[name].text)


def _brought(taken: list[str], base: Outline, other: Outline) -> list[str]:
    """Return the names that `base` lacks and the taken definitions need, directly or through one another."""
    available = other.definitions | other.assignments
    brought: set[str] = set()
    pending = [available[name] for name in taken]
    while pending:
        needed = pending.pop().needs - base.bound - brought
        brought |= {name for name in needed if name in other.imports or name in available}
        pending += [available[name] for name in sorted(needed) if name in available]
    order = [*other.imports, *sorted(available, key=lambda name: available[name].start)]
    return [name for name in order if name in brought]


def _insertions(brought: list[str], taken: list[str], base: Outline, other: Outline) -> list[Splice]:
    """Put imports after those of `base` and definitions before the first that was taken."""
    imports = dict.fromkeys(other.imports[name] + "\n" for name in brought if name in other.imports)
    available = other.definitions | other.assignments
    companions: dict[int, Definition] = {
        available[name].start: available[name] for name in brought if name not in other.imports
    }
    splices = []
    if imports:
        splices.append(Splice(base.imports_end, base.imports_end, "".join(imports)))
    if companions:
        place = min(base.definitions[name].start for name in taken)
        text = "".join(_spaced(definition) for definition in companions.values())
        splices.append(Splice(place, place, text))
    return splices


def _spaced(definition: Definition) -> str:
    """Return the definition's text with the customary blank lines after it."""
    return definition.text + ("\n\n" if definition.text.count("\n") > 1 else "\n")


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN_NAMES])
    rest = len(names) - _SHOWN_NAMES
    return f"{shown} and {rest} more" if rest > 0 else shown
