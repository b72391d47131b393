"""One line of JSON a message, over a local socket that can carry file descriptors."""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket
from typing import Any

Message = dict[str, Any]

_MESSAGE_LIMIT_BYTES = 4 * 2**20
_DESCRIPTORS_LIMIT = 8


class ChannelClosed(Exception):  # noqa: N818 - the ordinary end of a conversation
    """The other side is gone."""


class ProtocolBroken(Exception):  # noqa: N818 - a verdict on the other side
    """The other side sent something that is not a message, or more than a message may hold."""


class Channel:
    """A bidirectional line of messages; the other side may be hostile.

    `take` never blocks and `receive` blocks; both raise `ChannelClosed` and `ProtocolBroken`.
    """

    def __init__(self, endpoint: socket.socket) -> None:
        self._socket = endpoint
        self._buffer = bytearray()
        self._scanned = 0
        self._descriptors: list[int] = []
        self._closed = False

    @staticmethod
    def pair() -> tuple[Channel, socket.socket]:
        """Return one end as a channel and the other as a bare socket, to be inherited by a child process."""
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return Channel(here), there

    @classmethod
    def from_descriptor(cls, descriptor: int) -> Channel:
        """Adopt an inherited socket."""
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        """Return the descriptor, for selectors."""
        return self._socket.fileno()

    def shut(self) -> None:
        """End the conversation for both sides, also for a thread of this process that waits in `receive`."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket and every descriptor that nobody took."""
        self._socket.close()
        while self._descriptors:
            os.close(self._descriptors.pop())

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Send one message, blocking until the other side has room."""
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            sent = self._socket.sendmsg([data], ancillary)
            self._socket.sendall(data[sent:])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChannelClosed from error

    def receive(self) -> Message:
        """Return the next message, blocking."""
        while (message := self._next_line()) is None:
            self._fill()
        return message

    def take(self) -> Message | None:
        """Return the next message if one has arrived, else None."""
        message = self._next_line()
        if message is not None:
            return message
        self._socket.setblocking(False)
        try:
            self._fill()
        except BlockingIOError:
            return None
        finally:
            self._socket.setblocking(True)
        return self._next_line()

    def take_descriptor(self) -> int:
        """Return the oldest descriptor that came with a message; the caller closes it."""
        if not self._descriptors:
            raise ProtocolBroken("expected a file descriptor with the message, but none came")
        return self._descriptors.pop(0)

    def _fill(self) -> None:
        if self._closed:
            raise ChannelClosed
        try:
            data, descriptors, _, _ = socket.recv_fds(self._socket, 2**16, _DESCRIPTORS_LIMIT)
        except ConnectionResetError as error:
            raise ChannelClosed from error
        self._descriptors.extend(descriptors)
        if not data:
            self._closed = True
            raise ChannelClosed
        self._buffer.extend(data)

    def _next_line(self) -> Message | None:
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._buffer)
            if self._scanned > _MESSAGE_LIMIT_BYTES:
                raise ProtocolBroken(f"a message exceeded {_MESSAGE_LIMIT_BYTES} bytes")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._scanned = 0
        return _parse(line)


def _parse(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolBroken(f"not a JSON message: {line[:80]!r}") from error
    if not isinstance(message, dict) or not isinstance(message.get("event"), str):
        raise ProtocolBroken(f"a message must be an object with an `event`, but it was {line[:80]!r}")
    return message
