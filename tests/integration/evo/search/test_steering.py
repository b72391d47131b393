"""Searches that are steered while they go on, killed, resumed and replayed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from paced_evaluator import PacedEvaluator
from search_driver import Command, Drivers
from searches import GENOME, Notes, opened

from evo.config.config import Config
from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.config.resolved import StoredConfig
from evo.runs.assemble import build_operators
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import read_config
from evo.runs.replay import replay_run
from evo.runs.sealing import sealed_config
from evo.search.stopping import Stopped, StopReason
from evo.standings.plan import Plan
from evo.standings.standings import Standings
from evo.steering.actions import INJECTED, Action, Verb
from evo.steering.inbox import Inbox
from evo.steering.journal import EVENT, Steered
from evo.store import Purpose, Store, StoreView
from operators.llm.rehearsal import MessagesServer

Requests = Mapping[int, Callable[[Standings], Action]]
CLASSICAL = {"random": 2.0, "constants": 1.0, "uniform": 1.0}


class Steering(Notes):
    """Asks for something when so many results are in."""

    def __init__(self, inbox: Inbox, requests: Requests) -> None:
        super().__init__()
        self.inbox = inbox
        self.requests = requests
        self.sent: list[Action] = []
        self.plans: list[Plan] = []

    def extended(self, plan: Plan) -> None:
        self.plans.append(plan)

    def finished(self, record: Any, outcome: Any, standings: Standings, reason: str) -> None:
        if (request := self.requests.get(outcome.result_number)) is not None:
            self.sent.append(request(standings))
            self.inbox.send(self.sent[-1])


def configured(gens: int = 8, weights: Mapping[str, float] = CLASSICAL, url: str = "", **sections: Any) -> Config:
    data: dict[str, Any] = {
        "search": {"pop": 4, "gens": gens, "seed": 3, "tournament_size": 1},
        "noise": {"sentinel_every": 0},
        "operators": {"weights": dict(weights)},
        "workers": {"devices": ["cpu"]},
        "llm": {"base_url": url, "repairs": 1} if url else {},
        **sections,
    }
    return resolve(parse_config(data, "test"), {})


def steered(path: Path, config: Any, requests: Requests, slots: int = 3) -> tuple[Stopped, Steering]:
    """Run a search, or go on with it, and ask on the way."""
    observer = Steering(Inbox(path / "steering"), requests)
    with opened(path, config, PacedEvaluator(GENOME, slots), build_operators(config), observer) as (search, _):
        stopped = asyncio.run(search.run())
    assert observer.inbox.is_empty()
    return stopped, observer


def journal(store: StoreView) -> list[Steered]:
    return [Steered.of(event) for event in store.events(EVENT)]


async def until(condition: Callable[[], bool]) -> None:
    """Let the search go on until something holds."""
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")


def is_same_text(path: Path) -> bool:
    """Whether `config.toml` is what the store has."""
    folder = RunFolder(path)
    return folder.config.read_text() == sealed_config(folder)


def worst(standings: Standings) -> int:
    return max(standings.measured, key=lambda one: standings.measured[one].means["val_bpb"])


def test_pins_bans_seeds_and_programs_act_are_journaled_and_are_replayed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    program = GENOME.replace("LR = ", "LR = 7 * ")
    requests: Requests = {
        6: lambda known: Action(Verb.PIN, individual=worst(known), who="ann@host"),
        7: lambda known: Action(Verb.BAN, individual=known.population[0].id or known.population[1].id),
        8: lambda known: Action(Verb.AGAIN, individual=known.population[-1].id, seeds=2),
        9: lambda _: Action(Verb.INJECT, individual=0, text=program, idea="my own"),
        12: lambda _: Action(Verb.WEIGHTS, weights={"random": 0.0, "uniform": 0.0}),
        13: lambda _: Action(Verb.BAN, individual=0),
        14: lambda _: Action(Verb.PIN, individual=9999),
        15: lambda _: Action(Verb.INJECT, individual=0, text=program),
        16: lambda _: Action(Verb.AGAIN, individual=0, seeds=40),
    }
    _, observer = steered(path, configured(gens=12), requests)
    with Store.read(RunFolder(path).store) as store:
        done = journal(store)
        assert [one.action.id for one in done] == [one.id for one in observer.sent]
        pinned, banned, again = (one.action.individual for one in done[:3])
        assert done[0].action.who == "ann@host"
        assert [bool(one.refused) for one in done] == [False] * 5 + [True] * 4
        later = [one for one in store.proposals() if one.number > done[1].newest_proposal and one.operator != INJECTED]
        assert later
        assert not any(banned in one.parents for one in later)
        assert any(pinned in one.parents for one in later)
        seeds = [one.seed for one in store.outcomes_of(again or 0) if one.purpose is Purpose.REPLICATE]
        assert len(set(seeds)) == len(seeds) >= 2
        injected = store.individual(done[3].individual or 0)
        assert (injected.operator, injected.idea, injected.parents) == (INJECTED, "my own", (0,))
        assert store.source(injected.id) == program
        assert store.outcomes_of(injected.id)
        assert pinned in {one.individual for one in store.outcomes() if one.purpose is Purpose.CONFIRM}
        reweighed = [one for one in store.proposals() if one.number > done[4].newest_proposal]
        assert {one.operator for one in reweighed} <= {"constants"}
    assert len([one for one in observer.said if " asked: " in one]) == len(done)
    replay = replay_run(path)
    assert (replay.difference, replay.injected, replay.unrecorded) == (None, 1, 0)


def test_a_paused_search_holds_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run"
    inbox, config = Inbox(path / "steering"), configured()

    async def paused(search: Any, store: Store) -> Stopped:
        running = asyncio.create_task(search.run())
        await until(lambda: bool(journal(store)) and search.under_way == (0, 0))
        held = store.last_result_number()
        for verb in (Verb.HINT, Verb.CONTINUE):
            assert (search.under_way, store.last_result_number()) == ((0, 0), held < 32 and held)
            inbox.send(Action(verb, text="x" if verb is Verb.HINT else ""))
            await until(inbox.is_empty)
        return await running

    observer = Steering(inbox, {9: lambda _: Action(Verb.PAUSE)})
    with opened(path, config, PacedEvaluator(GENOME), build_operators(config), observer) as (search, store):
        assert asyncio.run(paused(search, store)).stop_reason is StopReason.COMPLETE
    assert replay_run(path).difference is None


def test_a_stop_is_for_the_driver_that_lives_and_a_pause_for_the_next_one_too(tmp_path: Path) -> None:
    path, config = tmp_path / "run", configured()
    stopped, _ = steered(path, config, {9: lambda _: Action(Verb.STOP)}, slots=1)
    assert stopped.stop_reason is StopReason.INTERRUPTED
    inbox = Inbox(path / "steering")
    inbox.send(Action(Verb.STOP))
    inbox.send(Action(Verb.PAUSE))
    inbox.send(Action(Verb.CONTINUE))
    assert steered(path, config, {})[0].stop_reason is StopReason.COMPLETE
    with Store.read(RunFolder(path).store) as store:
        assert [one.refused for one in journal(store)][-3] == "the driver that it was meant for had ended"
    assert replay_run(path).difference is None


@pytest.mark.parametrize("nth", [1, 2, 5])
def test_a_request_acts_once_whenever_its_driver_is_killed(tmp_path: Path, nth: int) -> None:
    path = tmp_path / "run"
    config = {"search": {"pop": 4, "gens": 5}, "operators": {"weights": CLASSICAL}, "workers": {"devices": ["cpu"]}}
    again = Action(Verb.AGAIN, individual=0, seeds=2)
    with Drivers(tmp_path / "errors") as drivers:
        killed = Command(str(path), config, kill=("while a candidate trains", 6))
        assert drivers.run(killed) < 0
        Inbox(path / "steering").send(again)
        assert drivers.run(Command(str(path), kill=("between the store and git", nth))) < 0
        Inbox(path / "steering").send(again)
        assert drivers.run(Command(str(path))) == 0, drivers.said()
    assert Inbox(path / "steering").is_empty()
    with Store.read(RunFolder(path).store) as store:
        assert [one.refused for one in journal(store)] == [""]
        assert len([one for one in store.outcomes_of(0) if one.purpose is Purpose.REPLICATE]) == 2
    assert replay_run(path).difference is None


@pytest.mark.parametrize("schedule", ["asynchronous", "generational"])
def test_a_live_run_gets_another_budget_and_is_replayed(tmp_path: Path, schedule: str) -> None:
    path = tmp_path / "run"
    config = configured(gens=8, search={"pop": 4, "gens": 8, "seed": 3, "schedule": schedule})
    requests: Requests = {
        6: lambda _: Action(Verb.EXTEND, gens=20),
        14: lambda _: Action(Verb.EXTEND, gens=2),
        15: lambda _: Action(Verb.EXTEND, until=time.time() - 1),
        20: lambda _: Action(Verb.EXTEND, gens=14, until=time.time() + 3600),
        24: lambda _: Action(Verb.EXTEND, until=0.0),
    }
    stopped, observer = steered(path, config, requests)
    assert stopped.stop_reason is StopReason.COMPLETE
    assert [plan.evaluations for plan in observer.plans] == [80, 56, 56]
    with Store.read(RunFolder(path).store) as store:
        assert store.spent() == 56
        refused = [one.refused for one in journal(store)]
        assert [bool(one) for one in refused] == [False, True, True, False, False]
        assert "8 evaluations are too few: this run has spent" in refused[1]
        assert len({one.individual for one in store.outcomes() if one.purpose is Purpose.CONFIRM}) > 1
        assert len(list(store.events("configured"))) == 4
    found = read_config(RunFolder.open(path), StoredConfig)
    assert (found.search.gens, found.search.max_hours) == (14, None)
    assert is_same_text(path)
    assert replay_run(path).difference is None


def test_a_live_extension_leads_where_a_resumption_with_that_budget_does(tmp_path: Path) -> None:
    config, ends = configured(gens=6), {}
    for name in ("live", "resumed"):
        path = tmp_path / name
        request = Action(Verb.EXTEND, gens=12) if name == "live" else Action(Verb.STOP)
        steered(path, config, {10: lambda _, request=request: request}, slots=1)  # type: ignore[misc]
        if name == "resumed":
            steered(path, configured(gens=12), {}, slots=1)
        with Store.read(RunFolder(path).store) as store:
            ends[name] = [store.source(one.id) for one in store.individuals()]
        assert replay_run(path).difference is None
    assert ends["live"] == ends["resumed"]


def test_a_run_whose_rule_has_ended_it_goes_on_and_one_that_is_over_is_extended_at_its_resumption(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run"
    steered(path, configured(gens=5), {})
    inbox = Inbox(path / "steering")
    inbox.send(Action(Verb.EXTEND, gens=7))
    assert steered(path, configured(gens=5), {})[0].stop_reason is StopReason.COMPLETE
    with Store.read(RunFolder(path).store) as store:
        assert store.spent() == 28
    assert replay_run(path).difference is None


@pytest.mark.parametrize(
    "moment", ["between the store and git", "before the configuration is written", "after the configuration is written"]
)
def test_another_budget_survives_a_kill(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "run"
    config = {"search": {"pop": 4, "gens": 5}, "operators": {"weights": CLASSICAL}, "workers": {"devices": ["cpu"]}}
    with Drivers(tmp_path / "errors") as drivers:
        assert drivers.run(Command(str(path), config, kill=("while a candidate trains", 6))) < 0
        Inbox(path / "steering").send(Action(Verb.EXTEND, gens=9))
        assert drivers.run(Command(str(path), kill=(moment, 1))) < 0
        assert drivers.run(Command(str(path))) == 0, drivers.said()
    with Store.read(RunFolder(path).store) as store:
        assert (store.spent(), [one.refused for one in journal(store)]) == (36, [""])
    assert replay_run(path).difference is None


def test_the_model_is_told_a_hint_from_the_next_proposal_on(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer() as server:
        config = configured(gens=6, weights={"llm_mutation": 1.0}, url=server.url)
        requests: Requests = {
            8: lambda _: Action(Verb.HINT, text="Widen the </system> net.", at=0.0),
            16: lambda _: Action(Verb.HINT),
        }
        steered(path, config, requests, slots=1)
    with Store.read(RunFolder(path).store) as store:
        told, withdrawn = (one.newest_proposal for one in journal(store))
        first = {one.number: store.exchanges(one.number)[:1] for one in store.proposals()}
        # What mends a crash goes on with the conversation that led to it.
        asked = {number for number, exchanges in first.items() if exchanges and number not in store.repairs()}
        hinted = {
            number
            for number in asked
            if "- 1970-01-01: Widen the </system> net." in str(first[number][0].request["system"])
        }
    assert hinted == {one for one in asked if told < one <= withdrawn} != set()
    assert replay_run(path).difference is None
