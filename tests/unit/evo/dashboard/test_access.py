"""Who is let in: names of the server, tokens, origins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.dashboard.access import Access, is_loopback

ACCESS = Access(8123, token="t" * 32, names=frozenset({"localhost", "box"}))
COOKIE = f"evo_dashboard_8123={'t' * 32}"
OWN = "http://127.0.0.1:8123"


def objection(method: str = "GET", path: str = "/api/runs", query: str = "", **headers: str) -> int:
    """Return the status with which a request is refused; 0 where it is let in."""
    given_headers = {"host": "127.0.0.1:8123", "cookie": COOKIE, **headers}
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in given_headers.items() if value
        ],
    }
    refused = ACCESS.objection(scope)
    return refused[0] if refused else 0


@pytest.mark.parametrize("host", ["127.0.0.1:8123", "localhost:8123", "LOCALHOST:8123", "[::1]:8123", "box:8123"])
def test_the_server_goes_by_its_names_and_by_addresses(host: str) -> None:
    assert objection(host=host) == 0


@pytest.mark.parametrize(
    "host",
    ["evil.example:8123", "evil.example", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:8123", "", ":8123"],
)
def test_a_name_that_was_pointed_here_is_refused(host: str) -> None:
    assert objection(host=host) == 421


@pytest.mark.parametrize("cookie", ["", "evo_dashboard_8123=wrong", "evo_dashboard_8124=" + "t" * 32, "\x01;;=="])
def test_without_the_token_nothing_is_read(cookie: str) -> None:
    assert objection(cookie=cookie) == 401
    assert objection(cookie=cookie, query=f"token={'t' * 32}") == 401
    assert objection(cookie=cookie, path="/", query=f"token={'t' * 32}") == 0


def test_what_changes_a_run_is_json_from_an_own_page() -> None:
    json = {"content_type": "application/json"}
    assert objection("POST", origin=OWN, **json) == 0
    assert objection("POST", **json) == 403
    assert objection("POST", origin="http://evil.example", **json) == 403
    assert objection("POST", origin="null", **json) == 403
    assert objection("POST", origin=OWN, content_type="text/plain") == 403
    assert objection("GET", origin="http://127.0.0.1:9999") == 403


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_no_header_lets_a_stranger_in(host: str, cookie: str) -> None:
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "query_string": b"token=x",
        "headers": [(b"host", host.encode("latin-1")), (b"cookie", cookie.encode("latin-1"))],
    }
    assert ACCESS.objection(scope) is not None


def test_loopback() -> None:
    assert [is_loopback(one) for one in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "192.168.0.3", "box")] == [
        *([True] * 3),
        *([False] * 3),
    ]
