"""One line of JSON a message, over a local socket that can carry file descriptors."""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import socket
import time
from typing import Any, Self

Message = dict[str, Any]

_MESSAGE_LIMIT_BYTES = 4 * 2**20
_READ_BYTES = 2**16
_DESCRIPTORS_LIMIT = 8
_SEND_PATIENCE_SECONDS = 20.0


class ChannelClosed(Exception):  # noqa: N818 - the ordinary end of a conversation
    """The other side is gone."""


class ProtocolBroken(Exception):  # noqa: N818 - a verdict on the other side
    """The other side sent something that is not a message, or more than a message may hold."""


class Channel:
    """A bidirectional line of messages; the other side may be hostile.

    `take` never blocks and `receive` blocks; both raise `ChannelClosed` and `ProtocolBroken`. One thread may receive
    while another sends or calls `shut`.

    Args:
        endpoint: a connected stream socket, which the channel owns from now on.
        takes_descriptors: whether file descriptors are welcome. A hostile side could exhaust ours with them, so the
            kernel throws away what an unwilling channel is sent.
    """

    def __init__(self, endpoint: socket.socket, *, takes_descriptors: bool = False) -> None:
        endpoint.setblocking(False)
        self._socket = endpoint
        self._takes_descriptors = takes_descriptors
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
    def from_descriptor(cls, descriptor: int, *, takes_descriptors: bool = False) -> Self:
        """Adopt an inherited socket."""
        return cls(socket.socket(fileno=descriptor), takes_descriptors=takes_descriptors)

    def fileno(self) -> int:
        """Return the descriptor, for selectors."""
        return self._socket.fileno()

    def shut(self) -> None:
        """End the conversation for both sides, also for a thread of this process that waits in `receive`."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket and every descriptor that was not taken."""
        self._socket.close()
        while self._descriptors:
            os.close(self._descriptors.pop())

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Send one message; a side that leaves no room for it for 20 s counts as gone.

        Raises:
            ChannelClosed: the other side is gone, or does not read.
        """
        data = memoryview(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        deadline = time.monotonic() + _SEND_PATIENCE_SECONDS
        while data:
            try:
                sent = self._socket.sendmsg([data], ancillary)
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)
            except (BrokenPipeError, ConnectionResetError) as error:
                raise ChannelClosed("the other side is gone") from error
            else:
                data, ancillary = data[sent:], []

    def receive(self, patience_seconds: float | None = None) -> Message:
        """Return the next message, blocking; a side that says nothing for `patience_seconds` counts as gone."""
        deadline = None if patience_seconds is None else time.monotonic() + patience_seconds
        while (message := self.take()) is None:
            self._wait(select.POLLIN, deadline)
        return message

    def take(self) -> Message | None:
        """Return the next message if one has arrived, else None."""
        message = self._next_line()
        if message is None and self._fill():
            message = self._next_line()
        return message

    def wait(self, seconds: float) -> None:
        """Wait until something has arrived, or the other side is gone, or so many seconds are over."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.poll(seconds * 1000)

    def _wait(self, event: int, deadline: float | None) -> None:
        poll = select.poll()
        poll.register(self._socket, event)
        left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        if not poll.poll(left):
            raise ChannelClosed("the other side neither reads nor answers")

    def take_descriptor(self) -> int:
        """Return the oldest descriptor that came with a message; the caller closes it."""
        if not self._descriptors:
            raise ProtocolBroken("expected a file descriptor with the message, but none came")
        return self._descriptors.pop(0)

    def _fill(self) -> bool:
        """Take what has arrived into the buffer; return whether anything had."""
        if self._closed:
            raise ChannelClosed("the other side is gone")
        try:
            if self._takes_descriptors:
                data, descriptors, _, _ = socket.recv_fds(self._socket, _READ_BYTES, _DESCRIPTORS_LIMIT)
                self._descriptors.extend(descriptors)
            else:
                data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            data = b""
        if not data:
            self._closed = True
            raise ChannelClosed("the other side is gone")
        self._buffer.extend(data)
        return True

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
