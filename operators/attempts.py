"""Draw drafts until one passes the gate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from operators.proposal import MeasureAgain, NoOffspring, Proposal, Refused, Request
from operators.protection import UNPROTECTED, Protection
from operators.source.constants import find_constants
from operators.source.feasibility import Feasibility
from operators.source.search_space import Dimension, Point, point_of, search_space
from populations.diversity import normal_form
from trainer.errors import counted
from trainer.source_text import UNREADABLE

MAX_ATTEMPTS = 20
_REASONS_SHOWN = 3
_BOLD_STEPS = 3
"""Changes on top of each other that make a bold mutant."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A source that has not met the gate; `idea` says in one line what was done to the parents."""

    source: str
    idea: str


def first_accepted(
    request: Request,
    operator: str,
    draw: Callable[[], Draft],
    attempts: int = MAX_ATTEMPTS,
    step_aside: Callable[[Draft], Draft] | None = None,
    *,
    draws: int = 1,
    repeats: bool = False,
    is_feasible: Callable[[str], bool] = lambda _: True,
) -> Proposal:
    """Return the first of up to `attempts` drafts that differs from every parent and passes the gate.

    `operator` is the name of the one that proposes. `draw` makes a draft, another one each time; it may raise
    `NoOffspring`, which ends the attempts. `step_aside` makes one near a draft that exists already, to be tried instead
    of a new draw once so many `draws` did. `repeats` says that a draw which exists already may be evaluated once more.
    Sources that are not `is_feasible` are passed over in the first half of the attempts.

    Raises:
        MeasureAgain: a draw exists already, and the request allows to repeat it.
        NoOffspring: no draft was accepted; the message ends with the latest reasons.
    """
    refused: dict[str, str] = {}
    last: Refused | None = None
    known: Draft | None = None
    existing = 0
    for attempt in range(attempts):
        if step_aside is None or known is None or existing < draws:
            draft, is_drawn = draw(), True
        else:
            draft, is_drawn = step_aside(known), False
        if 2 * attempt < attempts and not is_feasible(draft.source):
            continue
        if draft.source in refused:
            known = known if is_drawn else draft  # further aside from there
            existing += is_drawn
            continue
        try:
            _check_changed(draft.source, request)
            request.gate.check(draft.source)
        except Refused as verdict:
            twin = verdict.twin
            if repeats and is_drawn and twin is not None and twin in request.known.repeatable:
                raise MeasureAgain(twin) from None
            refused[draft.source], last = f"{draft.idea}: {verdict}", verdict
            if verdict.kind == "duplicate":
                known = draft
                existing += is_drawn
        else:
            return Proposal(draft.source, operator, draft.idea)
    reasons = "; ".join(list(refused.values())[-_REASONS_SHOWN:])
    raise NoOffspring(
        f"{operator}: none of {counted(attempts, 'attempt')} was accepted; the last refusals: {reasons}", last
    )


class Mutation(ABC):
    """An operator that draws mutants of its one parent until one is accepted."""

    name: str
    arity = 1

    async def propose(self, request: Request) -> Proposal:
        """Return the parent with one random change, with some if it is to be bold (see `Operator.propose`)."""
        source = request.parents[0].source
        steps = _BOLD_STEPS if request.is_bold else 1
        return first_accepted(
            request,
            self.name,
            lambda: self._mutant(source, request.random, steps, request.protection),
            is_feasible=feasible_sources(request),
        )

    def _mutant(self, source: str, random: Random, steps: int, protection: Protection) -> Draft:
        draft = self.mutate(source, random, protection)
        for _ in range(steps - 1):
            try:
                further = self.mutate(draft.source, random, protection)
            except (NoOffspring, *UNREADABLE):
                return draft  # if it cannot be read, the gate says so
            draft = Draft(further.source, f"{draft.idea}; {further.idea}")
        return draft

    @abstractmethod
    def mutate(self, source: str, random: Random, protection: Protection = UNPROTECTED) -> Draft:
        """Change what is not protected of `source`, differently each time; raise NoOffspring if there is nothing."""


def feasible_sources(request: Request) -> Callable[[str], bool]:
    """Return whether the constants of a source may work, by what failed among the first parent's variants."""
    source = request.parents[0].source
    space = search_space(find_constants(source).values())
    is_feasible = feasible_points(space, request)

    def check(draft: str) -> bool:
        try:
            values = {name: one.value for name, one in find_constants(draft).items()}
        except UNREADABLE:
            return True  # the gate says so
        point = point_of(space, values)
        return point is None or is_feasible(point)

    return check


def feasible_points(space: Sequence[Dimension], request: Request) -> Callable[[Point], bool]:
    """Return whether a setting of constants may work, by what failed among the first parent's variants."""
    evaluated = [(one.constants, bool(one.objectives)) for one in request.known.variants]
    return Feasibility.of(space, evaluated, request.parents[0].source).sampled(request.random)


def _check_changed(source: str, request: Request) -> None:
    try:
        form = normal_form(source)
    except UNREADABLE as error:
        raise Refused("unparsable", f"the offspring does not parse: {error}") from None
    for parent in request.parents:
        if form == normal_form(parent.source):
            raise Refused("duplicate", f"the offspring is the same program as its parent {parent.id}", parent.id)
