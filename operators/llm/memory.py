"""The memory of a run in a prompt: ideas in a table, one line each, within a budget however long the run is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from operators.expectations import expected_change
from operators.llm.numbers import format_value
from operators.llm.quoting import quoted
from operators.proposal import Effect, Fate, Idea
from trainer.objectives import Direction, Objective

CHARACTERS_PER_TOKEN = 4
"""Of English prose, about."""

IDEA_CHARACTERS = 200
OUTCOME_CHARACTERS = 260  # the evidence of a broken rule fits
_MOST_CROSSED = 4
_FAILURE_WEIGHT = 1.5
"""How telling a failure is, in standard errors of an effect."""


class Wording:
    """Words ideas of a run.

    Args:
        objective: the decisive one.
        noise: standard deviation of one evaluation, by objective name, as far as it is known.
    """

    def __init__(self, objective: Objective, noise: Mapping[str, float]) -> None:
        self._objective = objective
        self._noise = noise
        self._sigma = noise.get(objective.name, 0.0)

    def table(self, ideas: Sequence[Idea], budget_tokens: int) -> list[str]:
        """Return the newest and the most telling ideas, newest first, and a line that counts the others."""
        shown: dict[int, str] = {}
        room = budget_tokens * CHARACTERS_PER_TOKEN
        for idea in _alternating(sorted(ideas, key=_age), sorted(ideas, key=_telling, reverse=True)):
            if idea.id in shown:
                continue
            line = self.line(idea)
            room -= len(line) + 1
            if room < 0:
                break
            shown[idea.id] = line
        others = [idea for idea in ideas if idea.id not in shown]
        lines = [shown[number] for number in sorted(shown, reverse=True)]
        return [*lines, self._count(others)] if others else lines

    def line(self, idea: Idea) -> str:
        """Return an idea in one line: where it comes from, what it was, what it brought and what became of it."""
        parents = " × ".join(f"#{parent}" for parent in idea.parents)
        text = quoted(idea.text.removeprefix(f"{idea.operator}: "), IDEA_CHARACTERS)
        mends = "" if idea.repaired is None else f", mending #{idea.repaired}"
        line = f"- #{idea.id} from {parents} by {idea.operator}{mends}" + (f": {text}" if text else "")
        return f"{line} → {'; '.join(self._outcome(idea))}"

    def effect(self, effect: Effect) -> str:
        """Return an effect with its standard error and its verdict."""
        change = effect.value * self._objective.weight
        size = format_value(abs(change), self._sigma)
        sign = "" if not float(size) else "+" if change > 0 else "−"
        error = "" if effect.standard_error is None else f" ± {format_value(effect.standard_error, self._sigma)}"
        return f"{sign}{size}{error} on #{effect.parent}: {_verdict(effect)}"

    def _outcome(self, idea: Idea) -> Iterator[str]:
        if idea.fate is not Fate.MEASURED or idea.value is None:
            # A reason may be a sentence of ours that quotes what a program printed.
            reason = quoted(idea.outcome, OUTCOME_CHARACTERS)
            yield f"{idea.fate}, {reason}" if reason else idea.fate.value
        else:
            yield f"{self._objective.name} {format_value(idea.value, self._sigma)}" + "".join(
                f", {name} {format_value(value, self._noise.get(name, 0.0))}" for name, value in idea.others.items()
            )
            if idea.broken:
                yield f"breaks {', '.join(idea.broken)}"
            if idea.effect is not None:
                expected = expected_change(idea.text, self._objective.name)
                stated = "" if expected is None else f" (expected {expected:+g})"
                yield self.effect(idea.effect) + stated
            yield from _aftermath(idea)
        if idea.seconds:
            yield f"{idea.seconds:.0f} s" + (f", ${idea.cost_usd:.2f}" if idea.cost_usd >= 0.005 else "")

    def _count(self, ideas: Iterable[Idea]) -> str:
        verdicts = Counter(_kind(idea) for idea in ideas)
        kinds = ", ".join(f"{count} {kind}" for kind, count in verdicts.most_common())
        return f"- {verdicts.total()} more, not listed: {kinds}"


def better(objective: Objective) -> str:
    """Return which differences of an objective are improvements."""
    return "negative" if objective.direction is Direction.MINIMIZE else "positive"


def _aftermath(idea: Idea) -> Iterator[str]:
    if idea.led:
        yield "new best then"
    if idea.crossed_into:
        yield "combined in " + ", ".join(f"#{child}" for child in idea.crossed_into[-_MOST_CROSSED:])
    if alone := idea.offspring - len(idea.crossed_into):
        yield f"varied {alone} times" if alone > 1 else "varied once"


def _verdict(effect: Effect) -> str:
    if effect.is_tie or effect.value == 0:
        return "a tie"
    return "better" if effect.value > 0 else "worse"


def _kind(idea: Idea) -> str:
    if idea.fate is not Fate.MEASURED or idea.effect is None:
        return idea.fate.value
    return {"a tie": "ties"}.get(_verdict(idea.effect), _verdict(idea.effect))


def _age(idea: Idea) -> int:
    return -idea.id


def _telling(idea: Idea) -> tuple[float, int]:
    """Return how much an idea teaches: its effect in standard errors, gains twice, or a failure's fixed weight."""
    if idea.fate in (Fate.FAILED, Fate.REFUSED):
        return _FAILURE_WEIGHT, idea.id
    if idea.effect is None:
        return 0.0, idea.id
    error = idea.effect.standard_error
    weight = idea.effect.value / error if error else math.copysign(1.0, idea.effect.value)
    return (2 * weight if weight > 0 else -weight), idea.id


def _alternating(first: Iterable[Idea], second: Iterable[Idea]) -> Iterator[Idea]:
    for pair in zip(first, second, strict=True):
        yield from pair
