"""Crashes that are repaired: what a language model or an agent has made, and crashed when it was evaluated.

Each may be mended once, by a proposal of its own that goes on from the reply which led to it. The program that crashed
stays what it is, a failure; the mended one is another individual of the same parents, with an evaluation of its own.
"""

from __future__ import annotations

from evo.store import Purpose, StoreView
from evo.store.records import REPAIR
from operators.proposal import Crash
from operators.registry import needs_llm
from trainer.evaluation import Status

_RECENT_RESULTS = 32
"""A crash that lies further back is left alone: the search has gone on without it."""

_CRASHES = frozenset((Status.CRASHED, Status.OUT_OF_MEMORY))


class Repairs:
    """Finds the crashes of a run that are due for a repair; every result and every repair is read once.

    What is due follows from the results told and the proposals begun before, so a resumed run and a replay agree.
    """

    def __init__(self, store: StoreView) -> None:
        self._store = store
        self._crashes: list[tuple[int, int]] = []  # the number of the result, and the individual
        self._read = 0
        self._mended: dict[int, int] = {}  # by the individual that crashed, the number of the proposal
        self._newest_event = -1

    def due(self, number: int, result_number: int) -> list[int]:
        """Return the individuals that proposal `number`, begun after `result_number` results, may repair."""
        for outcome in self._store.outcomes(after=self._read):
            self._read = outcome.result_number
            is_offspring = outcome.purpose in (Purpose.SCREEN, Purpose.SEARCH)
            if is_offspring and outcome.status in _CRASHES and needs_llm(self._operator(outcome.individual)):
                self._crashes.append((outcome.result_number, outcome.individual))
        for event in self._store.events(REPAIR, after=self._newest_event):
            self._newest_event = event.id
            self._mended[event.payload["crashed"]] = event.payload["proposal"]
        recent = [one for told, one in self._crashes if 0 <= result_number - told < _RECENT_RESULTS]
        repairs = set(self._mended.values()) if recent else set()
        return [one for one in recent if self._mended.get(one, number) >= number and one not in repairs]

    def crash_for(self, number: int) -> Crash | None:
        """Return what proposal `number` repairs; None where it makes something new."""
        individual = self._store.repairs().get(number)
        return None if individual is None else self.crash_of(individual)

    def crash_of(self, individual: int) -> Crash | None:
        """Return how an individual crashed; None where it did not, or no recorded call led to it."""
        results = (one.result for one in self._store.evaluations_of(individual))
        failed = next((one for one in results if one is not None and one.status in _CRASHES), None)
        exchanges = self._store.exchanges(individual)
        if failed is None or not exchanges:
            return None
        source = self._store.source(individual)
        return Crash(individual, source, failed.status, failed.reason, failed.log_tail, exchanges[-1])

    def _operator(self, individual: int) -> str:
        return self._store.individual(individual).operator
