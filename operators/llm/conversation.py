"""One proposal's conversation with a language model: a prompt, a reply, and repairs while the reply cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from operators.gate import clean_source
from operators.llm.client import LanguageModel, PromptRefused
from operators.llm.context import Conditions, Opening, Prompts, ScriptConditions
from operators.llm.edits import UnusableReply, parse_idea, revise
from operators.llm.replies import Reading, read_reply
from operators.llm.text import one_line
from operators.proposal import Exchange, NoOffspring, Proposal, Refused, Request
from trainer.genome import language_of_genome, remarked, unmarked

MOST_FRUITLESS_CALLS = 8
"""After so many calls in a row, of whatever proposals, that ended for one and the same reason without a usable word
from the model, the fault is taken to be the service's rather than the prompts'."""
REASON_CHARACTERS = 300
MOST_STRUCTURAL_REFUSALS = 20
"""After so many replies in a row that hold no readable change, the model is taken not to master the form."""
NO_TEXT = "(no text)"


class Conversations:
    """Holds conversations with one model about one task; shared by the operators of a run.

    Every request is journaled before it is sent and every reply before it is used, failed ones included. What is
    journaled already is not sent again.
    """

    def __init__(self, model: LanguageModel, conditions: Conditions | ScriptConditions) -> None:
        self.model = model
        self.prompts = Prompts(conditions, model.settings.program)
        self._fruitless: tuple[str, int] = ("", 0)
        self._structural = 0

    async def breed(self, request: Request, operator: str, opening: Callable[[], Opening]) -> Proposal:
        """Return an offspring of the first parent of `request`.

        Args:
            request: what the search asks for.
            operator: name of the operator, for the proposal.
            opening: renders the first prompt; called only when it is not in the journal.

        Raises:
            NoOffspring: no reply could be used.
            OperatorUnavailable: the service answers no prompt.
            CostLimitReached: the next call could exceed the spending limit.
        """
        body = self._journaled(request, 0, lambda: self._opening_body(opening(), request.hints))
        problems: list[str] = []
        for turn in range(1 + self.model.settings.max_repairs):
            is_new = request.journal.exchange(turn) is None
            exchange = await self._exchange(request, turn, body)
            reading = read_reply(exchange.reply)
            if reading.problem and not reading.repairable:
                raise NoOffspring(f"No offspring from the language model: {reading.problem}.")
            try:
                source = self._offspring(request, reading)
            except (UnusableReply, Refused) as problem:
                if is_new:
                    self._count_structural(problem)
                problems.append(one_line(str(problem), REASON_CHARACTERS))
                body = self._journaled(request, turn + 1, self._repair(body, reading.text, str(problem)))
            else:
                self._structural = 0
                return Proposal(source, operator, parse_idea(reading.text) or "No hypothesis was given.")
        raise NoOffspring(f"No usable reply in {len(problems)} attempts: {' | '.join(problems)}")

    def _offspring(self, request: Request, reading: Reading) -> str:
        if reading.problem:
            raise UnusableReply(reading.problem)
        parent = request.parents[0].source
        source = remarked(parent, clean_source(revise(unmarked(parent), reading.text, language_of_genome(parent))))
        request.gate.check(source)
        return source

    async def _exchange(self, request: Request, turn: int, body: Mapping[str, Any]) -> Exchange:
        journaled = request.journal.exchange(turn)
        if journaled is not None:
            return journaled
        if request.journal.request(turn) is None:
            request.journal.record_request(turn, body)
        try:
            exchange = await self.model.ask(
                body,
                seed=f"{request.number}:{turn}",
                abandoned=lambda spent: request.journal.record_abandoned(turn, spent),
            )
        except PromptRefused as refused:
            self._count(refused.failure.kind, refused.failure.next_step, str(refused))
            raise NoOffspring(f"The language model's service did not accept the prompt: {refused}") from refused
        request.journal.record_exchange(turn, exchange)
        self._count(read_reply(exchange.reply).problem)
        return exchange

    def _journaled(self, request: Request, turn: int, build: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return the request journaled for `turn`, which goes out again word for word, or a new one.

        Only the model and the length of replies follow the settings: a search that stopped because its model was
        retired must be able to go on with another.
        """
        journaled = request.journal.request(turn)
        if journaled is None:
            return build()
        return {**journaled, "model": self.model.settings.model, "max_tokens": self.model.settings.max_tokens}

    def _opening_body(self, opening: Opening, hints: Sequence[str]) -> dict[str, Any]:
        """Return the first request, with a breakpoint of the cache behind each part that other requests share."""
        settings = self.model.settings
        cache = {"cache_control": {"type": "ephemeral", "ttl": settings.cache_lifetime}}
        system = filter(None, (self.prompts.system(), self.prompts.instructions(hints)))
        return {
            "model": settings.model,
            "max_tokens": settings.max_tokens,
            "system": [_text(part) | cache for part in system],
            "messages": [
                {"role": "user", "content": [*(_text(part) | cache for part in opening.shared), _text(opening.task)]}
            ],
        }

    def _repair(self, body: Mapping[str, Any], reply: str, problem: str) -> Callable[[], Mapping[str, Any]]:
        def build() -> Mapping[str, Any]:
            answer = {"role": "assistant", "content": reply.rstrip() or NO_TEXT}
            complaint = {"role": "user", "content": self.prompts.repair(problem)}
            return {**body, "messages": [*body["messages"], answer, complaint]}

        return build

    def _count(self, kind: str, next_step: str = "", what: str = "") -> None:
        """Count fruitless calls of one kind in a row; any usable word from the model ends the row.

        Raises:
            OperatorUnavailable: there were too many.
        """
        if not kind:
            self._fruitless = ("", 0)
            return
        before, count = self._fruitless
        self._fruitless = (kind, count + 1 if kind == before else 1)
        if self._fruitless[1] >= MOST_FRUITLESS_CALLS:
            count, self._fruitless = self._fruitless[1], ("", 0)
            raise self.model.give_up(
                f"answered {count} times in a row without anything usable: {(what or kind).rstrip('.')}",
                next_step or "Choose another model with --model, or change the prompt's limits.",
            )

    def _count_structural(self, problem: Exception) -> None:
        """Count replies in a row that hold no readable change; the verdict of the gate on a program is not one.

        Raises:
            OperatorUnavailable: there were too many.
        """
        if not isinstance(problem, UnusableReply):
            self._structural = 0
            return
        self._structural += 1
        if self._structural >= MOST_STRUCTURAL_REFUSALS:
            count, self._structural = self._structural, 0
            raise self.model.give_up(
                f"sent {count} replies in a row that hold no readable change; of the last one: "
                f"{one_line(str(problem), REASON_CHARACTERS).rstrip('.')}",
                "Choose another model with --model.",
            )


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
