"""Calls of language models that were in flight when a driver was killed: a service bills for them all the same."""

from __future__ import annotations

import json

from evo.config.config import Config
from evo.store import Store
from operators.proposal import Exchange
from operators.registry import OPERATORS


def record_lost_calls(store: Store, config: Config) -> int:
    """Count the calls that a killed driver left without a reply as given up, and return how many there are.

    The prompt of each is taken to be paid for, as that of a call that is cancelled; a resumed run makes the call again.
    What a run of a coding agent has cost is unknown, and under a limit the most that it may.
    """
    started, stopped = (max((event.id for event in store.events(kind)), default=0) for kind in ("started", "stopped"))
    if started <= stopped:
        return 0
    # Imported here: a run without a language model does without its client.
    from operators.llm.prices import cost_usd
    from operators.llm.received import Received

    prices = {one.name: one.known_price for one in config.llm.entries}
    agent_usd = None if config.llm.max_cost_usd is None else config.agent.max_cost_usd
    count = 0
    for proposal in store.open_proposals():
        journal, turn = store.journal(proposal.number), len(store.exchanges(proposal.number))
        request = journal.request(turn)
        if request is None:
            continue
        registration = OPERATORS.get(proposal.operator.partition(":")[0])
        is_agent = registration is not None and registration.needs_agent
        usage = Received().attempt(0 if is_agent else len(json.dumps(request)), is_left=True).usage
        cost = (
            agent_usd if is_agent else cost_usd(usage, prices.get(request["model"]), config.llm.cache_lifetime or "5m")
        )
        journal.record_abandoned(turn, Exchange(request, {}, request["model"], usage.input_tokens, 0, 0, 0, cost, 0.0))
        count += 1
    return count
