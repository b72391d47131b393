from __future__ import annotations

import asyncio
from typing import Any

import pytest

from operators.errors import CostLimitReached
from operators.llm import SpendLimit, price_of
from operators.llm.prices import Usage, cost_usd, told_usd

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("usage", "lifetime", "expected"),
    [
        (Usage(input_tokens=MILLION), "5m", 2.0),
        (Usage(output_tokens=MILLION), "5m", 10.0),
        (Usage(cache_read_tokens=MILLION), "5m", 0.1),
        (Usage(cache_write_tokens=MILLION), "5m", 2.5),
        (Usage(cache_write_tokens=MILLION), "1h", 4.0),
        (Usage(), "5m", 0.0),
    ],
)
def test_cost_of_each_kind_of_token(usage: Usage, lifetime: str, expected: float) -> None:
    assert cost_usd(usage, price_of("claude-sonnet-5-5"), lifetime) == pytest.approx(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(input_tokens=60_000, cache_read_tokens=40_000, output_tokens=1_000), 0.0069),
        (Usage(input_tokens=60_000, cache_read_tokens=40_001, output_tokens=1_000), 0.0345),
    ],
)
def test_a_long_prompt_costs_more_in_all_its_tokens(usage: Usage, expected: float) -> None:
    assert cost_usd(usage, price_of("claude-haiku-5-5"), "5m") == pytest.approx(expected, rel=1e-4)


def test_a_dated_model_costs_what_its_family_costs() -> None:
    assert price_of("claude-haiku-5-5-20261101") == price_of("claude-haiku-5-5")
    assert price_of("gpt-6.1-sol-2026-09-29") == price_of("gpt-6.1-sol") is not None


def test_a_gateway_may_write_names_in_its_own_way() -> None:
    assert price_of("anthropic/claude-sonnet-5.5") == price_of("claude-sonnet-5-5") is not None
    assert price_of("openai/gpt-6.1-sol") == price_of("gpt-6.1-sol") is not None


def test_an_unknown_model_has_no_price() -> None:
    assert price_of("claude-haiku-5-5-tuned") is None
    assert cost_usd(Usage(input_tokens=1), price_of("llama"), "5m") is None


@pytest.mark.parametrize(
    ("model", "told", "expected"),
    [("llama", 0.3, 0.3), ("llama", 0.0, 0.0), ("claude-sonnet-5-5", 0.3, 0.3), ("claude-sonnet-5-5", 0.0, 2.0)],
)
def test_what_the_service_says_counts_before_the_price(model: str, told: float, expected: float) -> None:
    usage = Usage(input_tokens=MILLION, told_usd=told)
    assert cost_usd(usage, price_of(model), "5m") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 9}, None),
        ({"cost": 0.25, "cost_details": {"upstream_inference_cost": 0.2}}, 0.25),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}}, 0.21),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, 0.01),
        ({"cost": {"currency": "USD", "total_cost": 0.25}}, 0.25),
        ({"estimated_cost": 2e-5}, 2e-5),
        *(({"cost": nonsense}, None) for nonsense in (None, "0.1", True, -0.1, 1e9, float("nan"), [0.1], {})),
    ],
)
def test_a_service_says_what_a_call_costs_in_several_ways(usage: dict[str, Any], expected: float | None) -> None:
    assert told_usd(usage) == (None if expected is None else pytest.approx(expected))


def test_a_call_waits_for_money_set_aside_by_others() -> None:
    async def scenario() -> list[str]:
        spend_limit, events = SpendLimit(1.0), []
        held = asyncio.Event()

        async def first() -> None:
            async with spend_limit.reserve(0.8):
                held.set()
                await asyncio.sleep(0)
                events.append("first done")
                spend_limit.book(0.1)

        async def second() -> None:
            await held.wait()
            async with spend_limit.reserve(0.8):
                events.append("second begun")

        await asyncio.gather(second(), first())
        return events

    assert asyncio.run(scenario()) == ["first done", "second begun"]


def test_sums_below_a_cent_are_told() -> None:
    async def scenario() -> None:
        async with SpendLimit(0.001).reserve(0.19):
            pass

    with pytest.raises(CostLimitReached, match=r"up to \$0.19, but of the limit of \$0.001 \$0.00 is spent"):
        asyncio.run(scenario())


def test_a_call_that_cannot_fit_is_refused_once_it_is_alone() -> None:
    async def scenario() -> float:
        spend_limit = SpendLimit(1.0, spent_usd=0.3)
        with pytest.raises(CostLimitReached, match=r"up to \$0.80, but of the limit of \$1.00 \$0.30 is spent"):
            async with spend_limit.reserve(0.8):
                pass
        async with spend_limit.reserve(0.7):
            spend_limit.book(None)
        return spend_limit.spent_usd

    assert asyncio.run(scenario()) == 0.3


def test_a_cancelled_call_gives_its_money_back() -> None:
    async def scenario() -> None:
        spend_limit = SpendLimit(1.0)

        async def call() -> None:
            async with spend_limit.reserve(1.0):
                await asyncio.Event().wait()

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with spend_limit.reserve(1.0):
            pass

    asyncio.run(scenario())
