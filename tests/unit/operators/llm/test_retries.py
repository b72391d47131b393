from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from operators.llm.retries import LONGEST_WAIT_SECONDS, Failure, Outage, Verdict, failure_of_status, parse_retry_after


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("-1", None),
        ("nan", None),
        ("Wed, 21 Oct", None),
        ("0", 0),
        ("2.5", 2.5),
        ("1e9", 120),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 5),
        ("Wed, 21 Oct 2020 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 120),
    ],
)
def test_retry_after_is_capped_and_nonsense_ignored(header: str | None, seconds: float | None) -> None:
    now = datetime(2026, 10, 21, 7, 27, 55, tzinfo=UTC).timestamp()
    assert parse_retry_after(header, now) == seconds


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 7.66s.", 7.66),
        ("Please try again in 1m2.5s.", 62.5),
        ("Please try again in 20ms. Visit", 0.02),
        ("Quota exceeded. Please retry in 34.07s.", 34.07),
        ("please try again after 60 seconds", 60),
        ("Please retry in 2 minutes", 120.0),
        ("Please try again in 250 milliseconds.", 0.25),
        ("Limit 100000, used 99999. Please try again in 1h25m30.5s.", 120.0),
        ("Please try again in 3 attempts", None),
        ("Please try again in a while", None),
    ],
)
def test_a_wait_may_be_named_in_words(words: str, seconds: float | None) -> None:
    assert failure_of_status(429, message=words).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("status", "words", "verdict"),
    [
        (400, "Your credit balance is too low to access the API.", Verdict.STOP),
        (403, "Insufficient account balance", Verdict.STOP),
        (400, "API key not valid. Please pass a valid API key.", Verdict.STOP),
        (403, "Your chosen model requires moderation and your input was flagged", Verdict.GIVE_UP_PROMPT),
        (403, "Your key may not use this model", Verdict.STOP),
        (400, "maximum context length is 4096 tokens", Verdict.GIVE_UP_PROMPT),
        (200, "the model is loaded with context length of only 4096 tokens", Verdict.GIVE_UP_PROMPT),
        (200, "Invalid API key", Verdict.STOP),
        (400, "Model Not Exist", Verdict.STOP),
        (200, "Unexpected endpoint or method. (POST /v1/v1/chat/completions)", Verdict.STOP),
        (400, "You have reached your specified API usage limits. You will regain access on 2026-12-01.", Verdict.STOP),
        (400, "This organization has been disabled.", Verdict.STOP),
        (400, "Budget has been exceeded! Current cost: 10.1, Max budget: 10.0", Verdict.STOP),
        (400, "Access denied, please make sure your account is in good standing.", Verdict.STOP),
        (412, "Account is suspended, possibly due to reaching the monthly spending limit", Verdict.STOP),
        (429, "OpenAIException - You exceeded your current quota, please check your plan and billing.", Verdict.STOP),
        (429, "Check your plan and billing details. Please retry in 36.2s.", Verdict.RETRY),
        (429, "Insufficient balance or no resource package. Please recharge.", Verdict.STOP),
        (429, "Request too large for m on tokens per min (TPM): Limit 30000, Requested 40000.", Verdict.GIVE_UP_PROMPT),
        (400, "Too many tokens, please wait before trying again.", Verdict.RETRY),
        (400, "User location is not supported for the API use.", Verdict.STOP),
        (400, "Invocation of model ID m with on-demand throughput isn't supported.", Verdict.STOP),
        (400, "The provided model identifier is invalid.", Verdict.STOP),
        (400, "/chat/completions: Invalid model name passed in model=m", Verdict.STOP),
        (400, "No models loaded. Please load a model in the developer page", Verdict.STOP),
        (500, "model requires more system memory (10.0 GiB) than is available (5.2 GiB)", Verdict.STOP),
        (407, "Proxy Authentication Required", Verdict.STOP),
    ],
)
def test_a_status_is_read_with_its_words(status: int, words: str, verdict: Verdict) -> None:
    assert failure_of_status(status, message=words).verdict is verdict


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, Verdict.RETRY) for status in (408, 409, 425, 429, 498, 500, 502, 503, 504, 520, 529)),
        *((status, Verdict.STOP) for status in (401, 402, 403, 404, 410, 501)),
        *((status, Verdict.GIVE_UP_PROMPT) for status in (400, 413, 418, 422, 431)),
    ],
)
def test_verdict_of_each_status(status: int, verdict: Verdict) -> None:
    assert failure_of_status(status).verdict is verdict


def test_spend_limits_are_not_waited_for() -> None:
    failure = failure_of_status(429, error_code="enforced_spend_limit_reached", retry_after_seconds=120.0)
    assert failure.verdict is Verdict.STOP
    assert "spend limit" in failure.next_step


def test_error_events_mean_what_their_status_would_have() -> None:
    assert failure_of_status(200, error_type="invalid_request_error").verdict is Verdict.GIVE_UP_PROMPT
    assert failure_of_status(200, error_type="overloaded_error").kind.startswith("529")
    assert failure_of_status(200).verdict is Verdict.RETRY


FAILURE = Failure(Verdict.RETRY, "529", "529")


def test_waits_grow_to_a_longest_and_end_with_patience() -> None:
    outage = Outage(patience_seconds=300.0, jitter=random.Random(0))
    waits = []
    while (wait := outage.next_wait(FAILURE, attempt_seconds=1.0)) is not None:
        waits.append(wait)

    assert 0.5 <= waits[0] <= 1.0
    assert max(waits) <= LONGEST_WAIT_SECONDS
    assert sum(waits) + len(waits) + 1 == pytest.approx(outage.seconds)
    assert outage.seconds == pytest.approx(301)


def test_jitter_is_seeded() -> None:
    first, second, other = (
        Outage(100.0, random.Random(seed)).next_wait(FAILURE, 0.0) for seed in ("1:0", "1:0", "2:0")
    )
    assert first == second != other


def test_a_long_first_attempt_counts_against_patience() -> None:
    assert Outage(10.0, random.Random(0)).next_wait(FAILURE, attempt_seconds=10.0) is None
