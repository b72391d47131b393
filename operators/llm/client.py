"""A language model that answers: calls with retries, within the limits of time, of money, and of the service."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from operators.errors import OperatorUnavailable
from operators.llm.fruitless import FruitlessCalls
from operators.llm.prices import CACHE_WRITE_FACTOR, Usage, cost_usd, price_of
from operators.llm.providers import Provider, provider_for
from operators.llm.received import Attempt, Received
from operators.llm.redaction import Redaction
from operators.llm.retries import Failure, Outage, Verdict, is_rate_limit, longer_pause
from operators.llm.settings import LLMSettings
from operators.llm.spend_limit import SpendLimit
from operators.llm.text import one_line
from operators.llm.web_search import TOKENS_A_SEARCH, searches_in
from operators.proposal import Exchange
from trainer.errors import ConfigError, counted

BYTES_PER_TOKEN = 2
"""A low estimate, so that the tokens of a prompt are rather over- than underestimated."""
BYTES_PER_TOKEN_AT_MOST = 8
"""More than any tokenizer makes of English and code; a server that counts fewer tokens has not read all."""
BILLED_ATTEMPTS = 4
"""How often a reply that broke off after it began to cost money is asked for again."""
ADAPTED_CHARACTERS = 500
STAND_IN_PATIENCE_SECONDS = 10.0
"""How long one call is retried where other operators can work meanwhile; after that the model pauses."""

logger = logging.getLogger(__name__)


class PromptRefused(Exception):  # noqa: N818 - a verdict on one prompt, not an error of the product
    """The service will not answer this prompt, however often it is sent."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.what)
        self.failure = failure


class LanguageModel:
    """Sends prompts to one model of one server; shared by all operators and concurrent proposals of a run.

    A service that cannot be used is given up: nothing more is sent. Where other operators stand in for the model, it is
    given up for a while only, longer each time, and then tried again by one call. Calls in flight may still be
    answered: they are paid for.

    Args:
        settings: where and within which limits.
        spend_limit: the money of the run.
        sleep: waits between retries; a test passes one that returns at once.
        clock: monotonic seconds.

    Attributes:
        fruitless: counts the calls that came to nothing.
        counts_tokens: False once a reply has come whose tokens the server did not count.
    """

    def __init__(
        self,
        settings: LLMSettings,
        spend_limit: SpendLimit | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.spend_limit = spend_limit or SpendLimit(settings.max_cost_usd)
        self._sleep = sleep
        self._clock = clock
        self._redaction = Redaction(
            (settings.api_key, *settings.headers.values(), urlsplit(settings.url).password if settings.url else None)
        )
        self._given_up = asyncio.Event()
        self._outages = 0
        self._reason = ""
        self._next_try = 0.0
        self._pause_seconds = 0.0
        self._most_calls = math.inf
        self._in_flight = 0
        self._may_recover = True
        self._is_failing = False
        self._provider: Provider | None = None
        self._reads_all = True
        self.counts_tokens = True
        self.fruitless = FruitlessCalls(self.give_up)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.settings.model

    @property
    def is_away(self) -> bool:
        """Whether the service was given up and is not to be tried now."""
        return self._given_up.is_set() and (not self.settings.has_stand_ins or self._clock() < self._next_try)

    @property
    def most_calls(self) -> float:
        """How many calls in flight the service can take, as far as its refusals and headers tell."""
        return 1 if self._given_up.is_set() else self._most_calls

    @property
    def seconds_to_next_try(self) -> float:
        """How long a service that was given up is left alone; infinite where waiting alone does not help."""
        return max(0.0, self._next_try - self._clock()) if self._may_recover else math.inf

    async def pause(self, seconds: float) -> None:
        """Wait before the service is tried again."""
        await self._sleep(seconds)

    async def ask(
        self, request: Mapping[str, Any], *, seed: str, abandoned: Callable[[Exchange], None] = lambda _: None
    ) -> Exchange:
        """Send one request body until it is answered.

        Args:
            request: model, max_tokens, system and messages.
            seed: of the jitter between retries.
            abandoned: told what was spent if no reply comes of it, because the call is cancelled or given up.

        Raises:
            PromptRefused: the service will not answer this prompt.
            OperatorUnavailable: the service answers no prompt, or an outage outlasted the user's patience.
            CostLimitReached: the call could exceed the spending limit.
        """
        patience = self.settings.patience_seconds
        if self.settings.has_stand_ins:
            patience = min(patience, STAND_IN_PATIENCE_SECONDS)
        outage = Outage(patience, random.Random(seed))  # noqa: S311 - spreads retries, no secret
        began = time.monotonic()
        billed: list[Usage] = []

        def exchange(reply: dict[str, Any]) -> Exchange:
            return self._exchange(request, reply, billed, time.monotonic() - began)

        try:
            while True:
                started, outages = time.monotonic(), self._outages
                attempt = await self._attempt(request, billed)
                if attempt.reply is not None and (attempt.failure is None or len(billed) >= BILLED_ATTEMPTS):
                    self._answered(outages)
                    return exchange(attempt.reply)
                await self._wait(attempt.failure, outage, time.monotonic() - started)
        except BaseException:  # a cancellation above all; it goes on its way
            if billed:
                abandoned(exchange({}))
            raise

    async def aclose(self) -> None:
        """Close the connections."""
        if self._provider is not None:
            await self._provider.aclose()
            self._provider = None

    async def _attempt(self, request: Mapping[str, Any], billed: list[Usage]) -> Attempt:
        """Send the request once, and append to `billed` what it cost, if anything."""
        async with self.spend_limit.reserve(self._largest_cost_usd(request)):
            if self.is_away:
                raise OperatorUnavailable(self._reason)
            received = Received()
            self._in_flight += 1
            is_left = True
            try:
                # A total deadline, because the SDKs' timeouts are per read and never end a reply that drips.
                async with asyncio.timeout(self.settings.reply_deadline_seconds):
                    await self._connected().ask(request, received)
                is_left = False
            except TimeoutError:
                received.break_off("deadline", f"no complete reply within {self.settings.reply_deadline_seconds:g} s")
            finally:
                self._in_flight -= 1
                attempt = received.attempt(_prompt_bytes(request), request["max_tokens"], is_left=is_left)
                billed += [attempt.usage] if attempt.usage != Usage() else []
                self.spend_limit.book(self._cost_usd(request, attempt.usage))
            self._learn_rate(received)
            if received.adapted_to:
                what = self._redaction.text(one_line(received.adapted_to, ADAPTED_CHARACTERS))
                logger.warning("Requests to %s go out in another form, because it said: %s", self.settings.model, what)
            self._check_counts(request, attempt)
            return Attempt(
                self._redaction.json(attempt.reply),
                attempt.usage,
                attempt.failure and attempt.failure.with_text(self._redaction.text),
            )

    def _learn_rate(self, received: Received) -> None:
        """Adapt the number of calls in flight to what the service takes: halved by a refusal, one more by an answer.

        Chiu & Jain, "Analysis of the increase and decrease algorithms for congestion avoidance", 1989.
        """
        if received.failure is not None and is_rate_limit(received.failure):
            self._most_calls = max(1, (self._in_flight + 1) // 2)
        elif received.failure is None:
            self._most_calls += 1 / self._most_calls
        if received.requests_left is not None:
            self._most_calls = min(self._most_calls, max(1, self._in_flight + received.requests_left))

    def _check_counts(self, request: Mapping[str, Any], attempt: Attempt) -> None:
        """Warn, once each, of a server that counts no tokens, and of one that cuts prompts to its context."""
        if self.counts_tokens and not attempt.is_counted:
            self.counts_tokens = False
            logger.warning(
                "The server of %s does not say how many tokens a call takes: what is told of tokens and costs is "
                "estimated from the length of prompts and replies.",
                self.settings.model,
            )
        read = attempt.usage.prompt_tokens
        if self._reads_all and 0 < read * BYTES_PER_TOKEN_AT_MOST < _prompt_bytes(request):
            self._reads_all = False
            logger.warning(
                "%s read %s tokens of a prompt of %s bytes: it seems to cut prompts. Give the model a longer context "
                "where it is served (OLLAMA_CONTEXT_LENGTH=32768 for Ollama).",
                self.settings.model,
                f"{read:,}",
                f"{_prompt_bytes(request):,}",
            )

    def _answered(self, outages: int) -> None:
        """Take in that the service can be used, unless it was given up since the question was asked.

        Args:
            outages: how often it had been given up by then.
        """
        if outages < self._outages:
            return
        self._given_up.clear()
        self._is_failing = False
        self._pause_seconds = 0.0

    async def _wait(self, failure: Failure | None, outage: Outage, attempt_seconds: float) -> None:
        """Wait before the next attempt, or raise when there is to be none."""
        failure = failure or Failure(Verdict.RETRY, "malformed reply", "malformed reply: it held no message")
        if failure.verdict is Verdict.GIVE_UP_PROMPT:
            raise PromptRefused(failure)
        if failure.verdict is Verdict.STOP:
            raise self.give_up(f"refuses to work: {failure.what}", failure.next_step, may_recover=False)
        wait = outage.next_wait(failure, attempt_seconds)
        if wait is None:
            raise self.give_up(
                f"did not answer in {counted(outage.attempts, 'attempt')} over {outage.seconds:.0f} s; the last failed "
                f"with {failure.what}",
                "Check the service, the network, and the proxies that the environment names.",
                failure.retry_after_seconds or 0.0,
            )
        # Of calls in flight and tries that find out about the same outage, one speaks.
        level, self._is_failing = logging.DEBUG if self._is_failing else logging.WARNING, True
        name = self.settings.model
        logger.log(level, "The language model %s failed with %s; trying again in %.0f s.", name, failure.what, wait)
        await self._rest(wait)

    async def _rest(self, seconds: float) -> None:
        """Sleep, but no longer than until the service is given up."""
        ends = [asyncio.ensure_future(self._sleep(seconds)), asyncio.create_task(self._given_up.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def give_up(
        self, what: str, next_step: str, pause_seconds: float = 0.0, *, may_recover: bool = True
    ) -> OperatorUnavailable:
        """Send nothing more from now on, or for a while, and return the error that says so and how to go on.

        Args:
            what: happened.
            pause_seconds: that the service asks for.
            may_recover: whether waiting alone can help.
        """
        if self.is_away:  # several calls in flight find out about the same outage
            return OperatorUnavailable(self._reason)
        steps = f"{next_step} " if next_step else ""
        self._reason = self._redaction.text(
            f"The language model {self.settings.model} at {self.settings.shown_url} {what.rstrip('.')}. {steps}".strip()
        )
        if self.settings.has_stand_ins:
            self._pause_seconds = longer_pause(self._pause_seconds)
            self._next_try = self._clock() + max(self._pause_seconds, pause_seconds)
        else:
            self._reason += " Nothing is lost: `evo resume RUN` continues."
        self._may_recover = may_recover
        self._outages += 1
        self._given_up.set()
        return OperatorUnavailable(self._reason)

    def _exchange(
        self, request: Mapping[str, Any], reply: dict[str, Any], billed: Sequence[Usage], seconds: float
    ) -> Exchange:
        usage = sum(billed, Usage())
        costs = [self._cost_usd(request, one) for one in billed or [Usage()]]
        known = [cost for cost in costs if cost is not None]
        return Exchange(
            request=request,
            reply=reply,
            model=str(reply.get("model") or request["model"]),
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cost_usd=sum(known) if len(known) == len(costs) else None,
            latency_seconds=seconds,
        )

    def _cost_usd(self, request: Mapping[str, Any], usage: Usage) -> float | None:
        is_own = request["model"] == self.settings.model
        price = self.settings.known_price if is_own else price_of(request["model"])
        return cost_usd(usage, price, self.settings.cache_lifetime)

    def _largest_cost_usd(self, request: Mapping[str, Any]) -> float | None:
        """Return an upper estimate of one attempt: every byte of the prompt newly cached, the longest reply."""
        factor = CACHE_WRITE_FACTOR[self.settings.cache_lifetime]
        searches = searches_in(request)
        prompt = int(_prompt_bytes(request) / BYTES_PER_TOKEN * factor) + searches * TOKENS_A_SEARCH
        usage = Usage(prompt, request["max_tokens"], web_searches=searches)
        largest = self._cost_usd(request, usage)
        if largest is None and self.spend_limit.limit_usd is not None:
            raise ConfigError(
                f"--max-cost needs a model whose price is known, but the request was made for {request['model']!r}. "
                "Resume without --max-cost."
            )
        return largest

    def prepare(self) -> None:
        """Import the SDK and make its client now, which takes a second or more that a running search must not wait.

        Raises:
            ConfigError: the connection cannot be set up as the environment and the settings want it.
        """
        self._connected()

    def _connected(self) -> Provider:
        """Return the provider; made late, for `evo --help` must not wait for its SDK."""
        if self._provider is None:
            self._provider = provider_for(self.settings)
        return self._provider


def _prompt_bytes(request: Mapping[str, Any]) -> int:
    return len(json.dumps(request, ensure_ascii=False).encode())
