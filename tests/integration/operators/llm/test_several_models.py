"""Several language models: which one is asked, and which one instead when it refuses or cannot be used."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from llm_requests import CHANGED, CONDITIONS, GOOD, PROGRAM, FileJournal, request_for

from operators.errors import OperatorUnavailable
from operators.llm import Conversations, LanguageModel, LLMCrossover, LLMMutation, LLMSettings, Price, SpendLimit
from operators.llm.rehearsal import Behaviour, MessagesServer, say, status
from operators.naming import LLMName
from operators.proposal import NoOffspring, Proposal, Request


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def clock(self) -> float:
        return self.seconds


REFUSAL = say("", stop_reason="refusal")


def settings(server: MessagesServer, name: str, **changes: Any) -> LLMSettings:
    return LLMSettings(base_url=server.url, model=name, has_stand_ins=True, **changes)


def proposed(every: Sequence[LLMSettings], request: Request, patience_seconds: float = 0.0) -> Any:
    """Return what the first model, for which the others stand in, makes of a request, or the exception."""

    async def run() -> Any:
        spend_limit, time = SpendLimit(), Time()
        first, *others = (LanguageModel(one, spend_limit, sleep=time.sleep, clock=time.clock) for one in every)
        conversations = Conversations(first, CONDITIONS, others, patience_seconds)
        try:
            return await LLMMutation(conversations, "careful").propose(request)
        except (NoOffspring, OperatorUnavailable) as error:
            return error
        finally:
            for model in (first, *others):
                await model.aclose()

    return asyncio.run(run())


def stand_in(journal: FileJournal, turn: int) -> list[str]:
    text: list[str] = json.loads((journal.folder / f"{turn}.stand_in.json").read_text())
    return text


def asked(server: MessagesServer) -> list[str]:
    return [received.body["model"] for received in server.requests]


def test_the_drawn_model_is_asked_and_names_the_operator(tmp_path: Path) -> None:
    with MessagesServer(say(GOOD)) as server:
        journal = FileJournal(tmp_path)
        proposal = proposed([settings(server, "a", effort="high"), settings(server, "b")], request_for(journal))
        assert proposal == Proposal(CHANGED, "llm_mutation:careful:a", "a higher rate learns faster.")
        assert [(one.body["model"], one.body["output_config"]) for one in server.requests] == [
            ("a", {"effort": "high"})
        ]
    assert not list(tmp_path.glob("*.stand_in.json"))


def test_another_model_is_asked_when_the_first_refuses(tmp_path: Path) -> None:
    with MessagesServer(REFUSAL, say(GOOD)) as server:
        journal = FileJournal(tmp_path)
        every = [settings(server, "a", effort="high"), settings(server, "b")]
        assert proposed(every, request_for(journal)).source == CHANGED
        assert asked(server) == ["a", "b"]
        first, second = (received.body for received in server.requests)
    assert second["messages"] == first["messages"], "it is asked the same, without the refusal"
    assert "output_config" not in second
    model, other, reason = stand_in(journal, 1)
    assert (model, other) == ("a", "b")
    assert "refused" in reason
    assert [exchange.request["model"] for exchange in journal.exchanges] == ["a", "b"]
    # A second time everything comes from the journal.
    with MessagesServer(fallback=status(500)) as silent:
        again = [settings(silent, "a"), settings(silent, "b")]
        assert proposed(again, request_for(FileJournal(tmp_path))).source == CHANGED
        assert not silent.requests


@pytest.mark.parametrize("fault", [status(500), status(401), status(400)], ids=["outage", "bad key", "prompt refused"])
def test_another_model_is_asked_when_the_first_cannot_be_used(fault: Behaviour, tmp_path: Path) -> None:
    with MessagesServer(fallback=fault) as broken, MessagesServer(say("nothing usable"), say(GOOD)) as server:
        journal = FileJournal(tmp_path)
        every = [settings(broken, "a"), settings(server, "b", price=Price(1.0, 2.0))]
        assert proposed(every, request_for(journal)).source == CHANGED
        assert asked(server) == ["b", "b"], "a repair goes to the model that answered"
    assert stand_in(journal, 0)[:2] == ["a", "b"]
    assert all(exchange.cost_usd for exchange in journal.exchanges), "the price is the one that was stated"


def test_all_models_refuse(tmp_path: Path) -> None:
    with MessagesServer(fallback=REFUSAL) as server:
        error = proposed([settings(server, "a"), settings(server, "b")], request_for(FileJournal(tmp_path)))
        assert asked(server) == ["a", "b"]
    assert isinstance(error, NoOffspring)


def test_all_models_are_waited_for_where_nothing_else_stands_in(tmp_path: Path) -> None:
    fault = status(503)
    # Within ten seconds, a call that fails is tried about four times.
    with MessagesServer(*[fault] * 8, fallback=say(GOOD)) as server:
        every = [settings(server, "a"), settings(server, "b")]
        assert proposed(every, request_for(FileJournal(tmp_path)), patience_seconds=600.0).source == CHANGED


def test_waiting_ends_with_patience_or_where_it_cannot_help(tmp_path: Path) -> None:
    with MessagesServer(fallback=status(503)) as server:
        every = [settings(server, "a"), settings(server, "b")]
        error = proposed(every, request_for(FileJournal(tmp_path / "outage")), patience_seconds=40.0)
        assert isinstance(error, OperatorUnavailable)
        assert "evo resume" in str(error)
    with MessagesServer(fallback=status(401)) as server:
        every = [settings(server, "a"), settings(server, "b")]
        error = proposed(every, request_for(FileJournal(tmp_path / "key")), patience_seconds=1e6)
        assert "Check the API key" in str(error)
        assert asked(server) == ["a", "b"]


def test_crossovers_bear_the_model_too(tmp_path: Path) -> None:
    with MessagesServer() as server:
        first, second = (LanguageModel(settings(server, name)) for name in ("qwen3:8b", "b"))
        assert LLMCrossover(Conversations(first, CONDITIONS, [second])).name == "llm_crossover:qwen3:8b"
        assert LLMCrossover(Conversations(first, CONDITIONS)).name == "llm_crossover"


@pytest.mark.parametrize(
    "name",
    [
        LLMName("llm_mutation", "careful", "qwen3:8b"),
        LLMName("llm_mutation", "careful"),
        LLMName("llm_crossover", "", "qwen3:8b"),
        LLMName("llm_crossover"),
        LLMName("random"),
    ],
)
def test_names_are_read_as_they_are_written(name: LLMName) -> None:
    assert LLMName.of(str(name)) == name


def test_the_program_is_the_one_that_is_asked_about(tmp_path: Path) -> None:
    with MessagesServer(say(GOOD)) as server:
        proposed([settings(server, "a"), settings(server, "b")], request_for(FileJournal(tmp_path)))
        assert PROGRAM.splitlines()[0] in str(server.requests[0].body["messages"])
