"""One proposal's conversation with a language model: a prompt, a reply, and repairs while the reply cannot be used."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from operators.errors import OperatorUnavailable
from operators.gate import clean_source
from operators.llm.client import LanguageModel, PromptRefused
from operators.llm.context import Conditions, Opening, Prompts, ScriptConditions
from operators.llm.edits import UnusableReply, parse_idea, revise
from operators.llm.fruitless import REASON_CHARACTERS
from operators.llm.lessons import read_lessons
from operators.llm.replies import Reading, read_reply
from operators.llm.text import one_line
from operators.llm.web_search import NOTE, tools, with_sources
from operators.proposal import Crash, Exchange, LessonsRequest, NoOffspring, Proposal, Refused, Request
from trainer.errors import counted
from trainer.genome import language_of_genome, remarked, unmarked

NO_TEXT = "(no text)"


class Conversations:
    """Holds conversations with one model about one task; shared by the operators of a run.

    Every request is journaled before it is sent and every reply before it is used, failed ones included. What is
    journaled already is not sent again. Where the model refuses a prompt, or its service cannot be used, another one is
    asked instead.

    Args:
        model: is asked first.
        stand_ins: the other models, in the order in which they are asked instead.
        patience_seconds: how long it is waited until one of several models can be used again; 0 where other operators
            go on meanwhile.
    """

    def __init__(
        self,
        model: LanguageModel,
        conditions: Conditions | ScriptConditions,
        stand_ins: Sequence[LanguageModel] = (),
        patience_seconds: float = 0.0,
    ) -> None:
        self.model = model
        self.prompts = Prompts(conditions)
        self._models = (model, *stand_ins)
        self._patience_seconds = patience_seconds

    @property
    def model_in_names(self) -> str:
        """What tells operators of this model from those of others; empty with one model."""
        return self.model.name if len(self._models) > 1 else ""

    @property
    def is_away(self) -> bool:
        """Whether no model can be asked now."""
        return all(model.is_away for model in self._models)

    @property
    def most_calls(self) -> float:
        """How many calls in flight the services of all models together can take."""
        return sum(model.most_calls for model in self._models if not model.is_away) or 1

    async def breed(self, request: Request, operator: str, opening: Callable[[], Opening]) -> Proposal:
        """Return an offspring of the first parent of `request`.

        Args:
            request: what the search asks for.
            operator: name of the operator, for the proposal.
            opening: renders the first prompt; called only when it is not in the journal and nothing is to be mended.

        Raises:
            NoOffspring: no reply could be used.
            OperatorUnavailable: no service answers any prompt.
            CostLimitReached: the next call could exceed the spending limit.
        """
        model = self.model
        first = body = self._journaled(request, 0, model, lambda: self._first_body(request, opening))
        problems: list[str] = []
        last: UnusableReply | Refused | None = None
        refusing: list[LanguageModel] = []
        replies: list[Mapping[str, Any]] = []
        for turn in itertools.count():
            is_new = request.journal.exchange(turn) is None
            exchange, model = await self._exchange(request, turn, model, body)
            reading = read_reply(exchange.reply)
            replies.append(exchange.reply)
            if reading.problem and not reading.repairable:
                refusing.append(model)
                other = next((one for one in self._models if one not in refusing and not one.is_away), None)
                if other is None:
                    raise NoOffspring(f"No offspring from the language model: {reading.problem}.")
                if is_new:
                    request.journal.record_stand_in(turn + 1, model.name, other.name, reading.problem)
                model, body = other, self._journaled(request, turn + 1, other, lambda: first)
                continue
            try:
                source = self._offspring(request, reading)
                await request.try_out(source)
            except (UnusableReply, Refused) as problem:
                last = problem
                if is_new:
                    model.fruitless.count_structural(problem)
                problems.append(one_line(str(problem), REASON_CHARACTERS))
                if len(problems) > self.model.settings.max_repairs:
                    break
                body = self._journaled(request, turn + 1, model, self._repair(body, reading.text, problem))
            else:
                model.fruitless.count_structural(None)
                idea = parse_idea(reading.text) or "No hypothesis was given."
                return Proposal(source, operator, with_sources(idea, replies))
        raise NoOffspring(f"No usable reply in {counted(len(problems), 'attempt')}: {' | '.join(problems)}", last)

    async def distil(self, request: LessonsRequest) -> Sequence[str]:
        """Return the lessons of a run; see `operators.proposal.Teacher`."""
        body = self._journaled(request, 0, self.model, lambda: self._lessons_body(request))
        exchange, _ = await self._exchange(request, 0, self.model, body)
        reading = read_reply(exchange.reply)
        if reading.problem:
            raise NoOffspring(f"No lessons from the language model: {reading.problem}.")
        return read_lessons(reading.text, request)

    def _offspring(self, request: Request, reading: Reading) -> str:
        if reading.problem:
            raise UnusableReply(reading.problem)
        parent = request.parents[0].source
        source = remarked(parent, clean_source(revise(unmarked(parent), reading.text, language_of_genome(parent))))
        request.gate.check(source)
        return source

    async def _exchange(
        self, request: Request | LessonsRequest, turn: int, model: LanguageModel, body: Mapping[str, Any]
    ) -> tuple[Exchange, LanguageModel]:
        """Return the answer of a turn, and which model gave it."""
        journaled = request.journal.exchange(turn)
        if journaled is not None:
            return journaled, next((one for one in self._models if one.name == journaled.request.get("model")), model)
        if request.journal.request(turn) is None:
            request.journal.record_request(turn, body)
        waited = 0.0
        while True:
            started = time.monotonic()
            try:
                exchange, answering = await self._first_answer(request, turn, model, body)
                break
            except PromptRefused as refused:
                raise NoOffspring(f"The language model's service did not accept the prompt: {refused}") from refused
            except OperatorUnavailable as outage:
                if not self._patience_seconds:
                    raise
                pause = min(one.seconds_to_next_try for one in self._models)
                waited += time.monotonic() - started + pause
                if waited > self._patience_seconds:
                    raise OperatorUnavailable(f"{outage} Nothing is lost: `evo resume RUN` continues.") from outage
                await model.pause(pause)
        request.journal.record_exchange(turn, exchange)
        answering.fruitless.count(read_reply(exchange.reply).problem)
        return exchange, answering

    async def _first_answer(
        self, request: Request | LessonsRequest, turn: int, model: LanguageModel, body: Mapping[str, Any]
    ) -> tuple[Exchange, LanguageModel]:
        """Return the answer of the model, or else of the first of the others that gives one.

        Raises:
            PromptRefused: no model answers, and one of them because of the prompt.
            OperatorUnavailable: none can be used.
        """
        faults: list[PromptRefused | OperatorUnavailable] = []
        for one in (model, *(other for other in self._models if other is not model)):
            try:
                exchange = await self._ask(request, turn, one, _addressed(body, one))
            except (PromptRefused, OperatorUnavailable) as fault:
                faults.append(fault)
                continue
            if faults:
                request.journal.record_stand_in(turn, model.name, one.name, str(faults[0]))
            return exchange, one
        raise next((fault for fault in faults if isinstance(fault, PromptRefused)), faults[-1])

    async def _ask(
        self, request: Request | LessonsRequest, turn: int, model: LanguageModel, body: Mapping[str, Any]
    ) -> Exchange:
        try:
            return await model.ask(
                body,
                seed=f"{request.number}:{turn}",
                abandoned=lambda spent: request.journal.record_abandoned(turn, spent),
            )
        except PromptRefused as refused:
            model.fruitless.count(refused.failure.kind, refused.failure.next_step, str(refused))
            raise

    def _journaled(
        self, request: Request | LessonsRequest, turn: int, model: LanguageModel, build: Callable[[], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """Return the request journaled for `turn`, which goes out again word for word, or a new one.

        Only the model, its effort and the length of replies follow the settings: a search that stopped because its
        model was retired must be able to go on with another.
        """
        return _addressed(request.journal.request(turn) or build(), model)

    def _first_body(self, request: Request, opening: Callable[[], Opening]) -> Mapping[str, Any]:
        """Return the first request: about the parents, or the one that led to a crash, with how that ended."""
        if request.crash is None:
            return self._opening_body(opening(), request)
        exchange = request.crash.exchange
        return self._repair(exchange.request, read_reply(exchange.reply).text, request.crash)()

    def _opening_body(self, opening: Opening, request: Request) -> dict[str, Any]:
        """Return the first request, with a breakpoint of the cache behind each part that other requests share."""
        cache = {"cache_control": {"type": "ephemeral", "ttl": self.model.settings.cache_lifetime}}
        searches = self.model.settings.web_searches
        rules = "\n".join(filter(None, (self.prompts.system(), NOTE if searches else "")))
        system = filter(None, (rules, self.prompts.instructions(request)))
        return ({"tools": tools(searches)} if searches else {}) | {
            "system": [_text(part) | cache for part in system],
            "messages": [
                {"role": "user", "content": [*(_text(part) | cache for part in opening.shared), _text(opening.task)]}
            ],
        }

    def _lessons_body(self, request: LessonsRequest) -> dict[str, Any]:
        system, question = self.prompts.lessons(request)
        return {"system": [_text(system)], "messages": [{"role": "user", "content": [_text(question)]}]}

    def _repair(
        self, body: Mapping[str, Any], reply: str, problem: UnusableReply | Refused | Crash
    ) -> Callable[[], Mapping[str, Any]]:
        def build() -> Mapping[str, Any]:
            answer = {"role": "assistant", "content": reply.rstrip() or NO_TEXT}
            complaint = {"role": "user", "content": self.prompts.repair(problem)}
            return {**body, "messages": [*body["messages"], answer, complaint]}

        return build


def _addressed(body: Mapping[str, Any], model: LanguageModel) -> dict[str, Any]:
    """Return a request as it goes to a model."""
    settings = model.settings
    common = {name: value for name, value in body.items() if name != "output_config"}
    effort = {"output_config": {"effort": settings.effort}} if settings.effort else {}
    return {**common, "model": settings.model, "max_tokens": settings.max_tokens, **effort}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
