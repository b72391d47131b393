"""The socket of a dashboard, and its address. Loads no server: a driver listens for the dashboard beside it."""

from __future__ import annotations

import errno
import secrets
import socket

from trainer.errors import UsageError


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host`.

    Args:
        host: a name or an address of this machine.
        port: 0 for a free one.

    Raises:
        UsageError: the address is in use or not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(128)
        except BaseException:
            listening.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        is_foreign = isinstance(error, socket.gaierror | UnicodeError)
        is_foreign |= getattr(error, "errno", None) == errno.EADDRNOTAVAIL
        advice = "Choose an address of this machine" if is_foreign else "Choose another port"
        raise UsageError(f"The dashboard cannot listen on {host}:{port}: {reason}. {advice}.") from None
    return listening


def new_token() -> str:
    """Return the secret of a server, which every request needs."""
    return secrets.token_urlsafe(24)


def address(host: str, listening: socket.socket, token: str) -> str:
    """Return what to open in a browser on this machine."""
    shown = f"[{host}]" if ":" in host else "127.0.0.1" if host in ("0.0.0.0", "") else host  # noqa: S104
    return f"http://{shown}:{listening.getsockname()[1]}/?token={token}"
