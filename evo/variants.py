"""Which measured individuals have the same code but for their constants: what the tuning operator learns from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from evo.store import Outcome, StoreView, mean_objectives
from operators.constants import Value, constants_and_structure
from operators.proposal import Variant
from trainer.evaluation import Status


@dataclass(slots=True)
class _Known:
    """An individual, its measurements in the order in which they came, and what they amount to."""

    constants: Mapping[str, Value]
    structure: str
    outcomes: list[Outcome] = field(default_factory=list)
    variant: Variant | None = None

    def after(self, told: int) -> Variant | None:
        """Return the individual as it stood after `told` results; None where it was not measured by then."""
        if self.outcomes[-1].told > told:
            known = [outcome for outcome in self.outcomes if outcome.told <= told]
            return Variant(self.constants, mean_objectives(known)) if known else None
        if self.variant is None:
            self.variant = Variant(self.constants, mean_objectives(self.outcomes))
        return self.variant


class Variants:
    """Finds the variants of an individual; every source and every result is read once.

    Args:
        store: of the run.
    """

    def __init__(self, store: StoreView) -> None:
        self._store = store
        self._known: dict[int, _Known] = {}
        self._by_structure: defaultdict[str, list[_Known]] = defaultdict(list)
        self._read = 0

    def of(self, individual: int, told: int) -> list[Variant]:
        """Return the variants of an individual, itself among them, after `told` results; unmeasured ones are none."""
        self._read_results()
        measured = self._by_structure[self._look_up(individual).structure]
        variants = (known.after(told) for known in measured)
        return [variant for variant in variants if variant is not None]

    def _read_results(self) -> None:
        for outcome in self._store.outcomes(after=self._read):
            self._read = outcome.told
            if outcome.status is not Status.OK or not outcome.purpose.counts:
                continue
            known = self._look_up(outcome.individual)
            if not known.outcomes:
                self._by_structure[known.structure].append(known)
            known.outcomes.append(outcome)
            known.variant = None

    def _look_up(self, individual: int) -> _Known:
        if individual not in self._known:
            self._known[individual] = _Known(*constants_and_structure(self._store.source(individual)))
        return self._known[individual]
