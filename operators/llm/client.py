"""A language model that answers: calls with retries, within the limits of time and money."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from operators.errors import OperatorUnavailable
from operators.llm.prices import CACHE_WRITE_FACTOR, Usage, cost_usd
from operators.llm.retries import Failure, Outage, Verdict
from operators.llm.settings import LLMSettings
from operators.llm.spend_limit import SpendLimit
from operators.llm.stream import Attempt, attempt_call
from operators.proposal import Exchange
from trainer.errors import ConfigError

if TYPE_CHECKING:
    import anthropic

CONNECT_SECONDS = 20.0
READ_SECONDS = 300.0
"""Longest silence within a reply; a local server may read a long prompt for minutes before its first token."""
BYTES_PER_TOKEN = 2
"""A low estimate, so that the tokens of a prompt are rather over- than underestimated."""
BILLED_ATTEMPTS = 4
"""How often a reply that broke off after it began to cost money is asked for again."""

logger = logging.getLogger(__name__)


class PromptRefused(Exception):  # noqa: N818 - a verdict on one prompt, not an error of the product
    """The service will not answer this prompt, however often it is sent."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.what)
        self.failure = failure


class LanguageModel:
    """Sends prompts to one model of one server; shared by all operators and concurrent proposals of a run.

    Once the service is given up nothing more is sent. Calls in flight may still be answered: they are paid for.

    Args:
        settings: where and within which limits.
        purse: the money of the run.
        sleep: waits between retries; a test passes one that returns at once.
    """

    def __init__(
        self,
        settings: LLMSettings,
        spend_limit: SpendLimit | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.settings = settings
        self.spend_limit = spend_limit or SpendLimit(settings.max_cost_usd)
        self._sleep = sleep
        self._given_up = asyncio.Event()
        self._reason = ""
        self._sdk: anthropic.AsyncAnthropic | None = None

    async def ask(self, request: Mapping[str, Any], *, seed: str) -> Exchange:
        """Send one request body until it is answered.

        Args:
            request: model, max_tokens, system and messages.
            seed: of the jitter between retries.

        Raises:
            PromptRefused: the service will not answer this prompt.
            OperatorUnavailable: the service answers no prompt, or an outage outlasted the user's patience.
            CostLimitReached: the call could exceed the spending limit.
        """
        outage = Outage(self.settings.patience_seconds, random.Random(seed))  # noqa: S311 - spreads retries, no secret
        began, usage, broken = time.monotonic(), Usage(), 0
        while True:
            started = time.monotonic()
            attempt = await self._attempt(request)
            usage += attempt.usage
            broken += attempt.usage != Usage()
            if attempt.reply is not None and (attempt.failure is None or broken >= BILLED_ATTEMPTS):
                return self._exchange(request, attempt.reply, usage, time.monotonic() - began)
            await self._wait(attempt.failure, outage, time.monotonic() - started)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._sdk is not None:
            await self._sdk.close()
            self._sdk = None

    async def _attempt(self, request: Mapping[str, Any]) -> Attempt:
        async with self.spend_limit.reserve(self._largest_cost_usd(request)):
            if self._given_up.is_set():
                raise OperatorUnavailable(self._reason)
            attempt = await attempt_call(self._client(), request, self.settings.reply_deadline_seconds)
            self.spend_limit.book(self._cost_usd(request, attempt.usage))
            return attempt

    async def _wait(self, failure: Failure | None, outage: Outage, attempt_seconds: float) -> None:
        """Wait before the next attempt, or raise when there is to be none."""
        failure = failure or Failure(Verdict.RETRY, "malformed reply", "malformed reply: it held no message")
        if failure.verdict is Verdict.GIVE_UP_PROMPT:
            raise PromptRefused(failure)
        if failure.verdict is Verdict.STOP:
            raise self.give_up(f"refuses to work: {failure.what}", failure.next_step)
        wait = outage.next_wait(failure, attempt_seconds)
        if wait is None:
            raise self.give_up(
                f"did not answer in {outage.attempts} attempts over {outage.seconds:.0f} s; the last failed with "
                f"{failure.what}",
                "Check the service and the network.",
            )
        logger.warning("The language model failed with %s; trying again in %.0f s.", self._redacted(failure.what), wait)
        await self._rest(wait)

    async def _rest(self, seconds: float) -> None:
        """Sleep, but no longer than until the service is given up."""
        ends = [asyncio.ensure_future(self._sleep(seconds)), asyncio.create_task(self._given_up.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def give_up(self, what: str, next_step: str) -> OperatorUnavailable:
        """Send nothing more from now on, and return the error that ends the search, which says how to go on."""
        steps = f"{next_step} " if next_step else ""
        self._reason = self._redacted(
            f"The language model {self.settings.model} at {self.settings.url} {what.rstrip('.')}. {steps}"
            "Nothing is lost: `evo resume RUN` continues."
        )
        self._given_up.set()
        return OperatorUnavailable(self._reason)

    def _redacted(self, message: str) -> str:
        """Return `message` without the key, should a server have quoted it."""
        return message.replace(self.settings.api_key, "[key]") if self.settings.api_key else message

    def _exchange(self, request: Mapping[str, Any], reply: dict[str, Any], usage: Usage, seconds: float) -> Exchange:
        return Exchange(
            request=request,
            reply=reply,
            model=str(reply.get("model") or request["model"]),
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cost_usd=self._cost_usd(request, usage),
            latency_seconds=seconds,
        )

    def _cost_usd(self, request: Mapping[str, Any], usage: Usage) -> float | None:
        return cost_usd(usage, request["model"], self.settings.cache_lifetime)

    def _largest_cost_usd(self, request: Mapping[str, Any]) -> float | None:
        """Return an upper estimate of one attempt: every byte of the prompt newly cached, the longest reply."""
        prompt_bytes = len(json.dumps(request, ensure_ascii=False).encode())
        factor = CACHE_WRITE_FACTOR[self.settings.cache_lifetime]
        usage = Usage(int(prompt_bytes / BYTES_PER_TOKEN * factor), request["max_tokens"])
        largest = self._cost_usd(request, usage)
        if largest is None and self.spend_limit.limit_usd is not None:
            raise ConfigError(
                f"--max-cost needs a model whose price is known, but the request was made for {request['model']!r}. "
                "Resume without --max-cost."
            )
        return largest

    def prepare(self) -> None:
        """Import the SDK and make its client now, which takes a second or more that a running search must not wait."""
        self._client()

    def _client(self) -> anthropic.AsyncAnthropic:
        """Return the SDK's client; imported here, for `evo --help` must not wait for it."""
        if self._sdk is None:
            import anthropic
            import httpx2

            # Retries are ours: the SDK's sleep for as long as a Retry-After header says, even for a day.
            self._sdk = anthropic.AsyncAnthropic(
                api_key=self.settings.key,
                base_url=self.settings.url,
                max_retries=0,
                timeout=httpx2.Timeout(
                    connect=CONNECT_SECONDS, read=READ_SECONDS, write=READ_SECONDS, pool=CONNECT_SECONDS
                ),
                default_headers=self.settings.default_headers,
            )
        return self._sdk
