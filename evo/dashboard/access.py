"""Who may read and who may steer.

A page on the internet can make a browser ask a server on loopback, and can point a name of its own at 127.0.0.1 (DNS
rebinding). So every request carries a token, as a cookie that no other site can send (SameSite=Strict); its Host is one
that this server goes by; and what changes anything comes from a page of this server, as JSON.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evo.dashboard.listening import new_token

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What a request needs.

    Attributes:
        port: that the server listens on.
        read_only: whether steering is refused.
        token: secret of this server.
        names: it goes by, beside addresses in digits, which cannot be bound to another machine.
    """

    port: int
    read_only: bool = False
    token: str = field(default_factory=new_token, repr=False)
    names: frozenset[str] = field(default_factory=lambda: frozenset({"localhost", socket.gethostname().lower()}))

    @property
    def cookie(self) -> str:
        """Name of the cookie; servers on several ports share a host's cookies."""
        return f"evo_dashboard_{self.port}"

    def knows_host(self, host: str) -> bool:
        """Return whether this server goes by what a Host header says."""
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if not name or not port.isdecimal() or int(port) != self.port:
            return False
        return name.lower() in self.names or _is_address(name)

    def objection(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and reason where a request is refused."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self.knows_host(host):
            return 421, "This server does not go by that name. Open the address that `evo dashboard` printed."
        if not self._is_known(scope, headers):
            return 401, "Open the address that `evo dashboard` printed: it ends with the token."
        origin = headers.get("origin")
        if origin is not None and origin != f"{scope['scheme']}://{host}":
            return 403, "Requests from pages of other sites are refused."
        if scope["method"] in ("GET", "HEAD"):
            return None
        if self.read_only:
            return 403, "This dashboard was started with --read-only."
        if origin is None or headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 403, "A request that changes a run must be JSON from a page of this server."
        return None

    def _is_known(self, scope: Scope, headers: Headers) -> bool:
        given = QueryParams(scope["query_string"]).get("token") if scope["path"] == "/" else None
        return any(_same(one, self.token) for one in (given, self._cookie(headers)) if one)

    def _cookie(self, headers: Headers) -> str | None:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return None
        return None if morsel is None else morsel.value


class Guard:
    """Middleware that lets only admissible requests through, and tells browsers what a page may do."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._access.objection(scope)
        if refused is None:
            await self._app(scope, receive, send_with_headers)
        else:
            await PlainTextResponse(f"{refused[1]}\n", refused[0])(scope, receive, send_with_headers)


def is_loopback(host: str) -> bool:
    """Return whether a server on `host` can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _same(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), token.encode())
