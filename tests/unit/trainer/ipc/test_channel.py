"""The line between processes, with both ends in one process."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainer.ipc.channel import Channel, ChannelClosed, ProtocolBroken


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    here, there = Channel.pair()
    with there:
        yield here, there
        here.close()


def test_messages_come_one_by_one_in_order(ends: tuple[Channel, socket.socket]) -> None:
    here, there = ends
    assert here.take() is None
    there.sendall(b'{"event":"a","x":1}\n{"event":"b"}\n{"event":')
    assert here.take() == {"event": "a", "x": 1}
    assert here.receive() == {"event": "b"}
    assert here.take() is None
    there.sendall(b'"c"}\n')
    assert here.take() == {"event": "c"}


def test_what_was_sent_before_the_end_is_received(ends: tuple[Channel, socket.socket]) -> None:
    here, there = ends
    there.sendall(b'{"event":"last"}\n{"event":"cut')
    there.close()
    assert here.receive() == {"event": "last"}
    for _ in range(2):
        with pytest.raises(ChannelClosed):
            here.take()


@pytest.mark.parametrize(
    "line", [b"", b"\xff", b"[1]", b"1", b'{"x":1}', b'{"event":1}', b"[" * 100_000, b"9" * 5000, b"{" * 3]
)
def test_what_is_no_message_breaks_the_protocol(ends: tuple[Channel, socket.socket], line: bytes) -> None:
    here, there = ends
    sender = threading.Thread(target=there.sendall, args=(line + b"\n",))
    sender.start()
    with pytest.raises(ProtocolBroken):
        here.receive()
    sender.join()


def test_a_message_without_end_is_refused_at_four_mebibytes(ends: tuple[Channel, socket.socket]) -> None:
    here, there = ends

    def flood() -> None:
        with contextlib.suppress(BrokenPipeError):
            while True:
                there.sendall(b"x" * 2**16)

    sender = threading.Thread(target=flood)
    sender.start()
    with pytest.raises(ProtocolBroken, match="exceeded 4194304 bytes"):
        here.receive()
    here.shut()
    sender.join()


def test_a_large_message_arrives_whole(ends: tuple[Channel, socket.socket]) -> None:
    here, there = ends
    message = {"event": "big", "text": "é\ud800" * 300_000}
    sender = threading.Thread(target=Channel(there).send, args=(message,))
    sender.start()
    assert here.receive() == message
    sender.join()


def test_descriptors_come_to_who_takes_them(ends: tuple[Channel, socket.socket]) -> None:
    here, there = ends
    willing = Channel(there, takes_descriptors=True)
    reading, writing = os.pipe()
    here.send({"event": "pipe"}, (writing,))
    os.close(writing)
    assert willing.receive() == {"event": "pipe"}
    got = willing.take_descriptor()
    os.write(got, b"x")
    assert os.read(reading, 1) == b"x"
    with pytest.raises(ProtocolBroken, match="expected a file descriptor"):
        willing.take_descriptor()
    os.close(got)
    os.close(reading)


def test_descriptors_do_not_come_to_who_does_not(ends: tuple[Channel, socket.socket]) -> None:
    here, there = ends
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        socket.send_fds(there, [b'{"event":"take this"}\n'], [0, 1, 2])
        assert here.receive() == {"event": "take this"}
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_side_that_does_not_read_cannot_block_the_other(
    ends: tuple[Channel, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = ends
    monkeypatch.setattr("trainer.ipc.channel._SEND_PATIENCE_SECONDS", 0.05)
    with pytest.raises(ChannelClosed, match="neither reads nor answers"):
        here.send({"event": "x", "text": "x" * 2**24})


def test_a_side_that_does_not_answer_in_time_counts_as_gone(ends: tuple[Channel, socket.socket]) -> None:
    with pytest.raises(ChannelClosed, match="neither reads nor answers"):
        ends[0].receive(patience_seconds=0.02)


def test_shutting_the_line_wakes_who_waits_on_it(ends: tuple[Channel, socket.socket]) -> None:
    here, _ = ends
    waker = threading.Timer(0.02, here.shut)
    waker.start()
    with pytest.raises(ChannelClosed):
        here.receive()
    with pytest.raises(ChannelClosed):
        here.send({"event": "x"})
    waker.join()
