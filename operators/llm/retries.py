"""Which failed calls are tried again, and how long that goes on."""

from __future__ import annotations

import dataclasses
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

RETRY_AFTER_CAP_SECONDS = 120.0
"""A server may ask for a day; after this long it is asked again."""
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 600.0
"""Between tries of a service that other operators stand in for."""

SPEND_LIMITS = frozenset(
    {
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "insufficient_quota",
        "billing_hard_limit_reached",
    }
)
"""Error codes that come with status 429 or 402 and do not pass by waiting."""

STREAMED_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status that an error event inside a stream, which itself began with status 200, would have had."""


class Verdict(StrEnum):
    """What a failed call means for the search."""

    RETRY = "retry"
    """It may pass: the same request is sent again."""
    GIVE_UP_PROMPT = "give up prompt"
    """This prompt cannot be answered; another one can."""
    STOP = "stop"
    """No prompt will be answered until a person acts."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call has no reply.

    Attributes:
        kind: short and without details of the call, so that failures can be compared.
        what: what happened, for a person.
        next_step: what a person can do about it; empty when waiting is all there is.
        retry_after_seconds: what the server asked for, within the cap; None when it did not ask or asked nonsense.
    """

    verdict: Verdict
    kind: str
    what: str
    next_step: str = ""
    retry_after_seconds: float | None = None

    def with_text(self, changed: Callable[[str], str]) -> Failure:
        """Return it with what is read by a person changed."""
        return dataclasses.replace(self, kind=changed(self.kind), what=changed(self.what))


_TOO_LARGE = re.compile(r"\bcontext (?:length|size|window|limit)\b|\brequest too large\b", re.IGNORECASE)
_UNPAID = re.compile(
    r"credit balance|insufficient (?:\w+ )?(?:credits?|balance|funds|quota)|check your plan and billing|good standing"
    r"|\b(?:budget|usage limits?|spending limit|credit limit)\b.{0,40}\b(?:exceeded|reached)\b"
    r"|\b(?:exceeded|reached|reaching)\b.{0,40}\b(?:budget|usage limits?|spending limit|credit limit)\b"
    r"|\b(?:account|organi[sz]ation)\b.{0,40}\b(?:suspended|disabled)\b",
    re.IGNORECASE,
)
_BY_WORDS = (
    (413, _TOO_LARGE),
    (429, re.compile(r"\btoo many requests\b|\bwait before trying again\b|\bthrottl", re.IGNORECASE)),
    (
        404,
        re.compile(
            r"\bmodel\b.{0,80} not (?:found|exist)|not a valid model|unexpected endpoint|\bno models? loaded"
            r"|\binvalid model\b|\bmodel (?:identifier|id|name)\b.{0,40}\binvalid\b|on-demand throughput",
            re.IGNORECASE,
        ),
    ),
    (400, re.compile(r"\b(?:flagged|moderation|content (?:policy|filter))", re.IGNORECASE)),
    (402, _UNPAID),
    (403, re.compile(r"\b(?:location|region|country)\b.{0,40}\bnot supported", re.IGNORECASE)),
    (401, re.compile(r"\bapi[ _-]?key\b.*\b(?:invalid|not valid|incorrect|missing|expired)", re.IGNORECASE)),
    (401, re.compile(r"\b(?:invalid|incorrect|missing|expired) api[ _-]?key\b", re.IGNORECASE)),
    (501, re.compile(r"\brequires more (?:\w+ )?memory\b", re.IGNORECASE)),
)
"""The status that would have fitted, by the words with which servers explain one that may mean much."""
_AMBIGUOUS = frozenset({400, 403, 412, 500})
_WAIT = re.compile(r"\b(?:again|retry) (?:in|after)((?:\s*\d+(?:\.\d+)?\s*[a-z]+)+)", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milli|s|m|h|d)", re.IGNORECASE)
_SECONDS = {"ms": 1e-3, "milli": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}

_NEXT_STEPS = {
    401: "Check the API key.",
    402: "Check the billing of the account.",
    403: "Check that the API key may use this model.",
    405: "Check the base URL.",
    407: "Check the proxy that the environment names.",
    404: "Check the model's name (it may have been retired) and the base URL, and choose another with --model.",
    410: "The model may have been retired; choose another with --model.",
    501: "The server does not offer this; choose another server or model.",
}


def failure_of_status(
    status: int,
    *,
    error_type: str | None = None,
    error_code: str | None = None,
    message: str = "",
    retry_after_seconds: float | None = None,
) -> Failure:
    """Return what an answer with an error status means.

    Args:
        status: HTTP status; below 300 when the error came with a regular one, such as in a stream.
        error_type: `error.type` of the body.
        error_code: `error.code` or `error.details.error_code` of the body.
        message: the server's explanation.
        retry_after_seconds: what its headers ask for.
    """
    if status < 300:
        status = STREAMED_STATUS.get(error_type or "", 500)
    wait = _wait_in_words(message) if retry_after_seconds is None else retry_after_seconds
    meant = _status_meant(status, message, waits=wait is not None)
    status = meant if meant == 429 else status
    kind = " ".join(str(part) for part in (status, error_type or "error", error_code) if part)
    what = f"{kind}: {message}" if message else kind
    status = meant
    if error_code in SPEND_LIMITS:
        return Failure(Verdict.STOP, kind, what, "Raise the spend limit of the account, or wait until it is renewed.")
    if 300 <= status < 400:
        return Failure(Verdict.STOP, kind, what, "Set the base URL to the address that answers.")
    if status in _NEXT_STEPS:
        return Failure(Verdict.STOP, kind, what, _NEXT_STEPS[status])
    if status in {408, 409, 425, 429, 498} or status >= 500:
        return Failure(Verdict.RETRY, kind, what, retry_after_seconds=wait)
    return Failure(Verdict.GIVE_UP_PROMPT, kind, what, "Check the model's name, its limits, and the headers.")


def _status_meant(status: int, message: str, *, waits: bool) -> int:
    """Return the status that fits what a server says; one that names a wait takes waiting to help."""
    if status in _AMBIGUOUS:
        return next((meant for meant, words in _BY_WORDS if words.search(message)), status)
    if status == 429 and not waits:
        return 413 if _TOO_LARGE.search(message) else 402 if _UNPAID.search(message) else status
    return status


def parse_retry_after(value: str | None, now: float, unit_seconds: float = 1.0) -> float | None:
    """Return the wait that a `Retry-After` header asks for, seconds, capped; None for an absent or senseless value.

    Args:
        value: a number, or a date of HTTP.
        now: seconds since 1970.
        unit_seconds: of a number.
    """
    try:
        return _capped(float(value) * unit_seconds) if value is not None else None
    except ValueError:
        pass
    try:
        return _capped(max(0.0, parsedate_to_datetime(value).timestamp() - now)) if value else None
    except (ValueError, OverflowError):
        return None


def _wait_in_words(message: str) -> float | None:
    """Return the wait that a server names in its explanation, such as "try again in 1m7.5s"."""
    if (named := _WAIT.search(message)) and (times := _TIME.findall(named[1])):
        return _capped(sum(float(number) * _SECONDS[unit.lower()] for number, unit in times))
    return None


def _capped(seconds: float) -> float | None:
    return None if math.isnan(seconds) or seconds < 0 else min(seconds, RETRY_AFTER_CAP_SECONDS)


def is_rate_limit(failure: Failure) -> bool:
    """Return whether a service refused a call because there were too many."""
    return failure.verdict is Verdict.RETRY and failure.kind.startswith(("429", "529"))


def longer_pause(seconds: float) -> float:
    """Return how long a service is left alone after it failed once more; `seconds` is the pause before, 0 for none."""
    return min(LONGEST_PAUSE_SECONDS, 2 * seconds) if seconds else FIRST_PAUSE_SECONDS


class Outage:
    """One uninterrupted series of failed attempts, and the wait before the next."""

    def __init__(self, patience_seconds: float, jitter: random.Random) -> None:
        self.patience_seconds = patience_seconds
        self.attempts = 0
        self.seconds = 0.0
        self._jitter = jitter

    def next_wait(self, failure: Failure, attempt_seconds: float) -> float | None:
        """Count a failed attempt and return the seconds to wait before the next; None when patience has run out.

        Waits double from `FIRST_WAIT_SECONDS` to `LONGEST_WAIT_SECONDS`, half of each drawn at random so that
        concurrent calls do not return together (Brooker, "Exponential Backoff and Jitter", AWS, 2015).
        """
        self.attempts += 1
        self.seconds += attempt_seconds
        backoff = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(self.attempts - 1, 10))
        left = self.patience_seconds - self.seconds
        wait = backoff * (0.5 + 0.5 * self._jitter.random())
        # The last wait uses up the patience, unless the server has said that it will be in vain.
        wait = min(wait, left) if failure.retry_after_seconds is None else failure.retry_after_seconds + 0.1 * wait
        if left <= 0 or wait > left:
            return None
        self.seconds += wait
        return wait
