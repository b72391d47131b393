"""What a search reports while it runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from evo.search.stopping import Stopped
from evo.standings.plan import Plan
from evo.standings.standings import Standings
from evo.store import EvaluationRecord, IndividualRecord, Outcome


class Observer:
    """Receives what happens in a search once the store holds it; ignores it here. Methods must not raise."""

    def proposed(self, individual: int, parents: tuple[int, ...], operator: str, idea: str) -> None:
        """Report a new individual, which waits for its first evaluation."""

    def refused(self, proposal: int, operator: str, kind: str, reason: str) -> None:
        """Report a proposal that gave nothing to evaluate; `kind` is one word, `reason` a sentence."""

    def started(self, evaluation: EvaluationRecord, worker: str, running: int) -> None:
        """Report that a worker began an evaluation; `running` are under way now."""

    def finished(self, individual: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> None:
        """Report an accepted result; `reason` says why it failed, if it did."""

    def lost(self, evaluation: EvaluationRecord, reason: str) -> None:
        """Report an evaluation that the infrastructure lost and that runs again."""

    def extended(self, plan: Plan) -> None:
        """Report that a user has given the run another budget."""

    def note(self, message: str) -> None:
        """Report anything else worth a line."""

    def ended(self, end: Stopped) -> None:
        """Report how the run ended."""

    def stopping(self) -> None:
        """Report that the run ends soon; from now on the process may end at any moment without another report."""


def _forwarding(report: str) -> Any:
    """Return the method of `_Forwarding` that hands on the reports of one kind."""

    def forward(self: _Forwarding, *arguments: Any) -> None:
        self._forward(report, *arguments)

    return forward


class _Forwarding(Observer):
    """Hands every report on; a subclass says how."""

    proposed = _forwarding("proposed")
    refused = _forwarding("refused")
    started = _forwarding("started")
    finished = _forwarding("finished")
    lost = _forwarding("lost")
    extended = _forwarding("extended")
    note = _forwarding("note")
    ended = _forwarding("ended")
    stopping = _forwarding("stopping")

    def _forward(self, report: str, *arguments: Any) -> None:
        """Hand on the call of the method named `report`."""
        raise NotImplementedError


class Observers(_Forwarding):
    """Several observers as one; each is told everything, in the order given."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def _forward(self, report: str, *arguments: Any) -> None:
        for observer in self._observers:
            getattr(observer, report)(*arguments)


class Deferred(_Forwarding):
    """Holds reports back until the store has committed what they are about."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._pending: list[Callable[[], None]] = []

    def _forward(self, report: str, *arguments: Any) -> None:
        self._pending.append(partial(getattr(self._observer, report), *arguments))

    def report(self) -> None:
        """Pass on what was held back, in its order."""
        pending, self._pending = self._pending, []
        for report in pending:
            report()
