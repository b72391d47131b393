"""Takes up what users ask of a running search (`evo.steering`): each request is an event before it acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from evo.search.evaluations import Evaluations
from evo.search.observer import Deferred
from evo.search.replication import more_replicates
from evo.search.stopping import StoppingRules
from evo.standings.standings import Standings
from evo.steering.actions import Action, Verb
from evo.steering.inbox import Inbox
from evo.steering.journal import Course, SteeringJournal
from evo.steering.rules import objection
from evo.store import Store
from operators.proposal import Refused
from trainer.errors import counted

Inject = Callable[[Action], int]
"""Makes an individual of a program and returns its number; raises Refused where the gate does not let it pass."""


class Extended(NamedTuple):
    """What follows from another budget: the standings with its plan, told all results, and the rules of stopping."""

    standings: Standings
    rules: StoppingRules


class Extension(Protocol):
    """Gives a search another budget."""

    def apply(self, action: Action, driven_seconds: float) -> Extended:
        """Record it in the transaction under way, and return what follows."""
        ...

    def committed(self) -> None:
        """Do what has to wait until the store holds it."""
        ...


class Controls:
    """The requests to a search.

    Without an inbox the search cannot be reached.
    """

    def __init__(
        self,
        store: Store,
        standings: Standings,
        journal: SteeringJournal,
        inbox: Inbox | None,
        evaluations: Evaluations,
        operators: Sequence[str],
        news: Deferred,
    ) -> None:
        self._store = store
        self._standings = standings
        self._journal = journal
        self._inbox = inbox
        self._evaluations = evaluations
        self._operators = operators
        self._news = news
        self._taken: list[Action] = []
        self._was_driven = False
        self.wants_stop = False

    @property
    def course(self) -> Course:
        """What holds now."""
        return self._journal.course

    @property
    def is_reachable(self) -> bool:
        """Whether requests can arrive."""
        return self._inbox is not None

    @property
    def has_mail(self) -> bool:
        """Whether a request waits."""
        return self._inbox is not None and not self._inbox.is_empty()

    def take_up(self, inject: Inject, extend: Callable[[Action], None], room: Callable[[], float]) -> None:
        """Record in the transaction under way what is asked, and do it.

        Args:
            inject: makes an individual of a program.
            extend: gives the search another budget.
            room: how many evaluations the search proper has left.
        """
        for action in self._inbox.pending() if self._inbox else []:
            self._taken.append(action)
            if not self._journal.knows(action):
                self._do(action, inject, extend, room)
        self._was_driven = True

    def committed(self) -> None:
        """Remove what was taken up, now that the store holds it."""
        if self._inbox is not None:
            self._inbox.remove(self._taken)
        self._taken.clear()

    def _do(self, action: Action, inject: Inject, extend: Callable[[Action], None], room: Callable[[], float]) -> None:
        refused = objection(action, self._store, self._standings, self._operators)
        individual: int | None = None
        match action.verb:
            case _ if refused:
                pass
            case Verb.STOP if not self._was_driven:
                refused = "the driver that it was meant for had ended"
            case Verb.STOP:
                self.wants_stop = True
            case Verb.EXTEND:
                extend(action)
            case Verb.AGAIN if action.seeds > room():
                refused = f"the search has budget for {counted(max(0, int(room())), 'more evaluation')}"
            case Verb.AGAIN:
                self._evaluate_again(action)
            case Verb.INJECT if room() < 1:
                refused = "the search has no budget left for another individual"
            case Verb.INJECT:
                try:
                    individual = inject(action)
                except Refused as refusal:
                    refused = str(refusal)
        self._news.note(f"{self._journal.record(self._store, action, refused, individual)}.")

    def _evaluate_again(self, action: Action) -> None:
        assert action.individual is not None  # noqa: S101 - `Action` sees to it
        under_way = self._evaluations.under_way
        requests = more_replicates(self._standings, under_way, action.individual, action.seeds)
        self._evaluations.enqueue_replicates([(action.individual, request) for request in requests])
