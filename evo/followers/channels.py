"""Where notifications go: a service that apprise knows, by its address, or a command of the user's."""

from __future__ import annotations

import logging
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from typing import Protocol

from trainer.errors import UsageError
from trainer.sandbox import trusted_environment

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_VARIABLE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_COMMAND_SECONDS = 10.0


class Channel(Protocol):
    """Takes notifications.

    Attributes:
        name: for messages, without what may be secret.
    """

    name: str

    def send(self, title: str, text: str) -> str:
        """Send; return why it failed, empty where it did not. It ends within seconds."""


class Service:
    """A service by its address, such as `slack://…`, `mailto://…` or `json://host/path` (https://appriseit.com).

    Args:
        address: which may hold a token or a password.
    """

    def __init__(self, address: str) -> None:
        self.name = f"{address.partition('://')[0]}://"
        self._address = address

    def is_known(self) -> bool:
        """Return whether apprise knows such an address."""
        import apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would print parts of addresses
        return bool(apprise.Apprise().add(self._address))

    def send(self, title: str, text: str) -> str:
        """Send through apprise, with its time limits."""
        import apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        service = apprise.Apprise()
        service.add(self._address)
        return "" if service.notify(title=title, body=text) else "it was not accepted"


class Command:
    """A command, which gets the title and the text on its stdin, and `PATH`, `HOME` and the like of the variables."""

    def __init__(self, command: str) -> None:
        self._words = shlex.split(command)
        self.name = self._words[0]

    def send(self, title: str, text: str) -> str:
        """Run the command; it is killed after ten seconds."""
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command
                self._words,
                input=f"{title}\n\n{text}\n".encode(),
                env=trusted_environment(threads=1),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"it took longer than {_COMMAND_SECONDS:g} s"
        except OSError as error:
            return error.strerror or type(error).__name__
        return f"it exited with {done.returncode}" if done.returncode else ""


def channel_of(target: str) -> Channel:
    """Return the channel that an address or a command names."""
    return Service(target) if _ADDRESS.match(target) else Command(target)


def resolved_target(target: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return what `--notify` names: an address, a command, or with `env:NAME` what that variable holds.

    Raises:
        UsageError: it can be neither; the message does not repeat it, since it may hold a secret.
    """
    if variable := _VARIABLE.fullmatch(target):
        target = environment.get(variable[1], "")
        if not target:
            raise UsageError(f"--notify names the variable {variable[1]}, but it is not set.")
    if address := _ADDRESS.match(target):
        _require_service(target, address[1])
        return target
    try:
        words = shlex.split(target)
    except ValueError as error:
        raise UsageError(
            f"--notify expects an address or a command, but a shell could not read this one: {error}."
        ) from error
    if not words or shutil.which(words[0]) is None:
        raise UsageError(
            "--notify expects an address such as slack://… or a command, but there is no program called "
            f"{words[0] if words else ''!r}."
        )
    return target


def _require_service(target: str, scheme: str) -> None:
    try:
        is_known = Service(target).is_known()
    except ImportError as error:
        raise UsageError(
            f"--notify with an address needs the package apprise ({error}). Install it: pip install 'evo-train[notify]'"
        ) from error
    if not is_known:
        raise UsageError(
            f"--notify got an address that begins with {scheme}://, but it is none that apprise can use. "
            "The forms are listed at https://appriseit.com; a webhook is json://host/path, or jsons:// over HTTPS."
        )
