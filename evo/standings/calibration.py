"""What language models expected of their ideas, beside what was measured."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from evo.standings.differences import Difference
from evo.standings.standings import Standings
from evo.store import StoreView
from operators.expectations import expected_change
from operators.naming import LLMName


@dataclass(frozen=True, slots=True)
class Calibration:
    """Expectations of one model in one style of prompt, over the offspring that stated one and were measured.

    Attributes:
        style: of the prompt; for a crossover, the operator's name.
        model: that wrote the ideas, by the name under which it answered.
        expected: mean gain on the better parent that was expected, in the objective's unit; positive is better.
        measured: mean gain on the better parent.
        standard_error: of `measured` for the noise of evaluations alone; None while that is unknown.
        right: ideas that were expected to improve and did, by more than a tie, or to harm and did.
        off: mean distance between expected and measured gains.
    """

    style: str
    model: str
    ideas: int
    expected: float
    measured: float
    standard_error: float | None
    right: int
    off: float


def read_calibration(store: StoreView, standings: Standings) -> tuple[Calibration, ...]:
    """Return the expectations by style and model, the most ideas first; empty where none was stated."""
    models = store.answering_models()
    if not models:
        return ()
    groups: defaultdict[tuple[str, str], list[tuple[float, Difference]]] = defaultdict(list)
    for individual, expected, gain in _expectations(store, standings):
        name = LLMName.of(store.individual(individual).operator)
        groups[name.style or name.operator, models.get(individual, name.model)].append((expected, gain))
    found = [_calibration(style, model, pairs) for (style, model), pairs in groups.items()]
    return tuple(sorted(found, key=lambda one: (-one.ideas, one.style, one.model)))


def _expectations(store: StoreView, standings: Standings) -> Iterator[tuple[int, float, Difference]]:
    objective = standings.objectives[0]
    sigma = standings.noise().get(objective.name)
    for record in store.individuals():
        expected = expected_change(record.idea, objective.name)
        if expected is None or record.id not in standings.measured:
            continue
        if gain := standings.effects.of(record.id, record.parents, sigma, standings.result_number):
            yield record.id, objective.weight * expected, gain[1]


def _calibration(style: str, model: str, pairs: list[tuple[float, Difference]]) -> Calibration:
    errors = [gain.standard_error for _, gain in pairs if gain.standard_error is not None]
    return Calibration(
        style=style,
        model=model,
        ideas=len(pairs),
        expected=fmean(expected for expected, _ in pairs),
        measured=fmean(gain.value for _, gain in pairs),
        standard_error=math.hypot(*errors) / len(pairs) if len(errors) == len(pairs) else None,
        right=sum(not gain.is_tie and gain.value * expected > 0 for expected, gain in pairs),
        off=fmean(abs(expected - gain.value) for expected, gain in pairs),
    )
