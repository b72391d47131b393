"""The operator: a coding agent edits one program."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from operators.agent.briefing import HYPOTHESIS, context_files, genome_files
from operators.agent.outputs import AgentOutput
from operators.agent.settings import AgentSettings
from operators.errors import OperatorUnavailable
from operators.gate import clean_source
from operators.llm.context import Prompts
from operators.llm.retries import longer_pause
from operators.llm.spend_limit import SpendLimit
from operators.llm.text import clean_text, one_line, tail
from operators.proposal import Exchange, NoOffspring, Proposal, Refused, Request
from trainer.agent import Edited, EditingError, EditingJob, edit_files
from trainer.errors import counted
from trainer.genome import join, split

MOST_FAILED_RUNS = 5
"""After so many runs in a row, of whatever proposals, that did not end well, the agent is taken to be out of order."""
IDEA_CHARACTERS = 300
REASON_CHARACTERS = 300
_LOG_CHARACTERS = 4_000


class _Unusable(Exception):  # noqa: N818 - a verdict
    """What an agent left is no program."""


class Agents:
    """Runs one coding agent within the limits of money; shared by the proposals of a run.

    Every run is journaled before it begins, and what came of it before that is used; journaled runs are not repeated.

    Args:
        spend_limit: the money of the run.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        settings: AgentSettings,
        prompts: Prompts,
        spend_limit: SpendLimit,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.prompts = prompts
        self._spend_limit = spend_limit
        self._redaction = settings.redaction()
        self._clock = clock
        self._failed_runs = 0
        self._reason = ""
        self._pause_seconds = 0.0
        self._next_try = -math.inf

    @property
    def is_away(self) -> bool:
        """Whether it was given up and is not to be tried now."""
        return self._clock() < self._next_try

    async def run(self, request: Request, turn: int, body: Mapping[str, Any]) -> Exchange:
        """Return what came of the run `turn` of a proposal: as the journal has it, or else of a new run.

        Raises:
            OperatorUnavailable: the agent cannot be used.
            CostLimitReached: the run could exceed the spending limit.
        """
        journaled = request.journal.exchange(turn)
        if journaled is not None:
            return journaled
        if request.journal.request(turn) is None:
            request.journal.record_request(turn, body)
        began, output = time.monotonic(), AgentOutput()
        async with self._spend_limit.reserve(self.settings.max_cost_usd):
            if self.is_away:
                raise OperatorUnavailable(self._reason)
            try:
                edited = await edit_files(self._job(body), output.feed)
            except EditingError as error:
                edited = Edited(str(error).rstrip("."), {}, {}, (), "", time.monotonic() - began)
            except BaseException:  # a cancellation above all; it goes on its way
                spent = self._exchange(body, {}, output, time.monotonic() - began)
                self._spend_limit.book(spent.cost_usd)
                request.journal.record_abandoned(turn, spent)
                raise
            exchange = self._exchange(body, self._reply(edited, output), output, edited.seconds)
            self._spend_limit.book(exchange.cost_usd)
        request.journal.record_exchange(turn, exchange)
        self._count(str(exchange.reply["problem"]))
        return exchange

    def reveals_key(self, text: str) -> bool:
        """Return whether a text holds one of the keys that the agent was given."""
        return self._redaction.text(text) != text

    def _job(self, body: Mapping[str, Any]) -> EditingJob:
        settings = self.settings
        return EditingJob(
            command=settings.filled_in(body["messages"][0]["content"]),
            files=body["files"],
            edited=(*genome_files(self.prompts), HYPOTHESIS),
            seconds=settings.seconds,
            sandbox=settings.sandbox,
            variables=settings.variables,
            visible=settings.visible,
            writable=settings.writable,
        )

    def _reply(self, edited: Edited, output: AgentOutput) -> dict[str, Any]:
        """Return what is journaled of a run, in the form of a reply of a language model and without any key."""
        problem = edited.ended or ("reported an error" if output.error else "")
        if problem and (said := output.error or _last_line(edited.log_tail)):
            problem = f"{problem}: {said}"
        files = dict(edited.files)
        idea = one_line(files.pop(HYPOTHESIS, ""), IDEA_CHARACTERS) or one_line(output.result, IDEA_CHARACTERS)
        reply = {
            "content": [
                {"type": "transcript", "text": "\n".join(output.transcript)},
                {"type": "text", "text": f"Hypothesis: {idea}\n\n{output.result}".strip() if idea else ""},
            ],
            "idea": idea,
            "problem": problem,
            "unreadable": {name: why for name, why in edited.unreadable.items() if name != HYPOTHESIS},
            "other_changes": list(map(clean_text, edited.others)),
            "turns": output.turns,
            "log_tail": tail(edited.log_tail, _LOG_CHARACTERS),
        }
        # A program that holds a key is refused; to redact it would make another one.
        has_key = any(map(self.reveals_key, files.values()))
        return {**self._redaction.json(reply), "files": {} if has_key else files, "has_key": has_key}

    def _exchange(
        self, body: Mapping[str, Any], reply: dict[str, Any], output: AgentOutput, seconds: float
    ) -> Exchange:
        cost, usage = output.cost_usd, output.usage
        if cost is None and self._spend_limit.limit_usd is not None:
            cost = self.settings.max_cost_usd  # at most, as far as can be known
        return Exchange(
            request=body,
            reply=reply,
            model=self._redaction.text(output.model) or self.settings.name,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cost_usd=cost,
            latency_seconds=seconds,
        )

    def _count(self, problem: str) -> None:
        """Count runs in a row that did not end well.

        Raises:
            OperatorUnavailable: there were too many.
        """
        self._failed_runs = self._failed_runs + 1 if problem else 0
        if not problem:
            self._pause_seconds = 0.0
        if self._failed_runs < MOST_FAILED_RUNS:
            return
        count, self._failed_runs = self._failed_runs, 0
        self._reason = (
            f"The coding agent {self.settings.name} failed {count} times in a row; the last time it "
            f"{one_line(problem, REASON_CHARACTERS).rstrip('.')}."
        )
        if self.settings.has_stand_ins:
            self._pause_seconds = longer_pause(self._pause_seconds)
            self._next_try = self._clock() + self._pause_seconds
        else:
            self._reason += " Nothing is lost: `evo resume RUN` continues."
        raise OperatorUnavailable(self._reason)


def _last_line(log_tail: str) -> str:
    """Return the last line that an agent printed for people; what it reports as JSON is read already."""
    lines = [line for line in log_tail.splitlines() if line.strip() and not line.startswith("{")]
    return one_line(lines[-1], REASON_CHARACTERS) if lines else ""


class LLMAgent:
    """Lets a coding agent edit one parent in a folder of its own (`operators.proposal.Connected`)."""

    name = "llm_agent"
    arity = 1

    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    @property
    def is_away(self) -> bool:
        """Whether the agent cannot be used now."""
        return self._agents.is_away

    @property
    def most_calls(self) -> float:
        """How many runs at a time the user allows."""
        return self._agents.settings.parallel or math.inf

    async def close(self) -> None:
        """Nothing is held open between runs."""

    async def propose(self, request: Request) -> Proposal:
        """Return the program as the agent left it; see `Operator.propose`."""
        prompts = self._agents.prompts
        names, parent = genome_files(prompts), request.parents[0].source
        start = request.crash.source if request.crash else parent
        body = self._journaled(request, 0, lambda: self._body(request, split(start, names)))
        problems: list[str] = []
        last: _Unusable | Refused | None = None
        for turn in range(1 + self._agents.settings.repairs):
            reply = (await self._agents.run(request, turn, body)).reply
            try:
                source = self._offspring(request, reply, names)
                await request.try_out(source)
            except (_Unusable, Refused) as problem:
                last = problem
                problems.append(one_line(str(problem), REASON_CHARACTERS))
                files = split(parent, names) | reply["files"]
                body = self._journaled(request, turn + 1, self._repair(request, body, files, problem))
            else:
                return Proposal(source, self.name, reply["idea"] or "No hypothesis was given.")
        raise NoOffspring(
            f"No usable program in {counted(len(problems), 'run')} of the agent: {' | '.join(problems)}", last
        )

    def _body(self, request: Request, files: Mapping[str, str]) -> dict[str, Any]:
        """Return what is journaled of a run before it begins, in the form of a request to a language model."""
        prompts = self._agents.prompts
        task = prompts.agent_task(request, genome_files(prompts), request.crash)
        return {
            "model": self._agents.settings.name,
            "command": list(self._agents.settings.command),
            "messages": [{"role": "user", "content": task}],
            "files": context_files(request, prompts) | dict(files),
        }

    def _repair(
        self, request: Request, body: Mapping[str, Any], files: Mapping[str, str], problem: _Unusable | Refused
    ) -> Callable[[], dict[str, Any]]:
        def build() -> dict[str, Any]:
            prompts = self._agents.prompts
            task = prompts.agent_task(request, genome_files(prompts), problem)
            return {**body, "messages": [{"role": "user", "content": task}], "files": {**body["files"], **files}}

        return build

    def _journaled(self, request: Request, turn: int, build: Callable[[], dict[str, Any]]) -> Mapping[str, Any]:
        """Return the request journaled for `turn`, or a new one; the command follows the settings."""
        journaled = request.journal.request(turn)
        return build() if journaled is None else journaled

    def _offspring(self, request: Request, reply: Mapping[str, Any], names: tuple[str, ...]) -> str:
        if reply["problem"]:
            raise _Unusable(f"The agent {reply['problem'].rstrip('.')}.")
        if reply["has_key"]:
            raise _Unusable("The program held a key of the agent's environment; leave it out.")
        if unreadable := reply["unreadable"]:
            raise _Unusable("; ".join(f"{name} {why}" for name, why in unreadable.items()))
        before = split(request.parents[0].source, names)
        if reply["files"] == before:
            others = ", ".join(reply["other_changes"])
            raise _Unusable(
                "No file of the program was changed." + (f" Others were, and do not count: {others}" if others else "")
            )
        texts = {name: text if text == before[name] else clean_source(text) for name, text in reply["files"].items()}
        source = join({name: texts[name] for name in names})
        request.gate.check(source)
        return source
