from __future__ import annotations

import re
import subprocess
import sys

import pytest

from operators.llm import LLMSettings, check_base_url, key_for
from operators.llm.settings import PLACEHOLDER_KEY
from trainer.errors import ConfigError

HOME = "https://api.anthropic.com"
LOCAL = "http://localhost:8080"


@pytest.mark.parametrize(
    ("base_url", "advice"),
    [
        ("", "it was empty"),
        ("  ", "it was empty"),
        ("localhost:8080", r"Did you mean http://localhost:8080\?"),
        ("http://localhost:8080/v1", r"Did you mean http://localhost:8080\?"),
        ("http://localhost:8080/v1/", r'Did you mean http://localhost:8080\? .* needs provider = "openai"'),
        ("https://proxy.example/llm/v1/messages", r"Did you mean https://proxy.example/llm\?"),
        ("ftp://localhost", "http:// or https://"),
        ("http://", "host name"),
        ("http://localhost:99999", "Port out of range"),
        ("http://localhost:http", "could not be cast to integer"),
        ("http://[::1", "Invalid IPv6 URL"),
        ("http://local host", "host name"),
        ("http://localhost\n.example", "host name"),
        ("http://localhost/api?version=1", r"after \? or #"),
        ("http://localhost/#api", r"after \? or #"),
        ("http://me:secret@localhost/?x", "'http://localhost/"),
    ],
)
def test_a_base_url_that_cannot_work_is_refused_with_a_better_one(base_url: str, advice: str) -> None:
    with pytest.raises(ConfigError, match=advice):
        LLMSettings(base_url=base_url)


@pytest.mark.parametrize("base_url", [HOME, LOCAL, "http://[::1]:8080/", "https://proxy.example/anthropic"])
def test_a_base_url_that_can_work_is_accepted(base_url: str) -> None:
    check_base_url(base_url)


@pytest.mark.parametrize(
    ("base_url", "explicit", "environment", "expected"),
    [
        (None, None, {"ANTHROPIC_API_KEY": "key"}, "key"),
        (HOME, None, {"ANTHROPIC_API_KEY": "key"}, "key"),
        (None, "mine", {"ANTHROPIC_API_KEY": "key"}, "mine"),
        (None, None, {}, None),
        (LOCAL, None, {"ANTHROPIC_API_KEY": "key"}, None),
        (LOCAL, "mine", {"ANTHROPIC_API_KEY": "key"}, "mine"),
        (LOCAL, None, {"ANTHROPIC_API_KEY": "key", "ANTHROPIC_BASE_URL": "http://other"}, None),
        (LOCAL, None, {"ANTHROPIC_API_KEY": "key", "ANTHROPIC_BASE_URL": LOCAL + "/"}, "key"),
    ],
)
def test_a_key_goes_only_where_it_belongs(
    base_url: str | None, explicit: str | None, environment: dict[str, str], expected: str | None
) -> None:
    assert key_for(base_url, explicit=explicit, environment=environment) == expected


def test_a_server_without_a_key_gets_a_placeholder() -> None:
    assert LLMSettings(base_url=LOCAL).key == PLACEHOLDER_KEY


def test_anthropic_needs_a_key() -> None:
    with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY"):
        LLMSettings()


def test_secrets_stay_out_of_representations() -> None:
    settings = LLMSettings(api_key="sk-secret", headers={"x": "header-secret"})
    assert "secret" not in repr(settings)
    assert settings.default_headers == {"x": "header-secret"}


def test_compatible_servers_are_asked_in_a_version_they_know() -> None:
    assert LLMSettings(base_url=LOCAL).default_headers == {"anthropic-version": "2023-06-01"}
    chosen = LLMSettings(base_url=LOCAL, headers={"anthropic-version": "2026-10-21"})
    assert chosen.default_headers == {"anthropic-version": "2026-10-21"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": " "}, "must be a name"),
        ({"max_tokens": 0}, "max_tokens must be a positive number, but it was 0"),
        ({"patience_seconds": float("nan")}, "patience_seconds"),
        ({"reply_deadline_seconds": -1.0}, "reply_deadline_seconds"),
        ({"max_repairs": -1}, "max_repairs"),
        ({"cache_lifetime": "1d"}, re.escape('must be "5m" or "1h", but it was "1d"')),
        ({"max_cost_usd": 0.0}, "--max-cost must be a positive number"),
        ({"max_cost_usd": float("inf")}, "--max-cost must be a positive number"),
        ({"max_cost_usd": 5.0, "model": "qwen"}, "--max-cost needs a model whose price is known"),
    ],
)
def test_values_that_no_call_can_succeed_with_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LLMSettings(base_url=LOCAL, **changes)  # type: ignore[arg-type]


def test_importing_the_operators_does_not_import_the_sdk() -> None:
    code = "import sys, operators.llm; sys.exit(bool({'anthropic', 'httpx2', 'jinja2', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
