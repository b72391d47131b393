"""Which requests a run refuses: the command line before it sends one, the driver when it takes one up."""

from __future__ import annotations

from collections.abc import Iterable

from evo.standings.standings import Standings
from evo.steering.actions import Action, Verb
from evo.store import StoreView


def objection(action: Action, store: StoreView, standings: Standings, operators: Iterable[str]) -> str:
    """Return why a run cannot do what is asked, one sentence; empty where it can.

    Args:
        action: what is asked.
        store: of the run.
        standings: what is known.
        operators: names in the configuration.
    """
    if action.individual is not None and not store.has_individual(action.individual):
        return f"there is no individual {action.individual}"
    if action.verb is Verb.BAN and action.individual == 0:
        return "generation 0 cannot be banned: it is the parent wherever no other individual may be"
    if action.verb is Verb.AGAIN and standings.replication.repeats_exactly:
        return "every seed gives the same run, so another one would measure nothing"
    if action.verb is Verb.WEIGHTS and action.weights:
        names = list(operators)
        if unknown := sorted(action.weights.keys() - set(names)):
            return f"this run has no operator {', '.join(unknown)}; it has {', '.join(names)}"
        if not any(action.weights.get(name, 1.0) for name in names):
            return "no operator would be left"
    return ""
