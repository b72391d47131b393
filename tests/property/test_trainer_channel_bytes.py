"""Whatever bytes come down a line, they end as messages, as a broken protocol or as a closed line, and at once."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from trainer.ipc.channel import Channel, ChannelClosed, ProtocolBroken
from trainer.machine.output import clean

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
_MESSAGES = st.dictionaries(st.text(), _VALUES).flatmap(
    lambda message: st.text().map(lambda event: {**message, "event": event})
)
_ALMOST = st.lists(
    st.sampled_from([b'{"event":', b'"x"', b"}", b"\n", b"[", b"{", b"NaN", b"1e999", b"\xff", b'"\\ud800"', b"\x00"])
).map(b"".join)


@given(st.binary(max_size=500) | _ALMOST)
def test_any_bytes_end_the_conversation_or_are_messages(data: bytes) -> None:
    here, there = Channel.pair()
    with there:
        there.sendall(data)
    try:
        while True:
            message = here.take()
            assert message is None or isinstance(message["event"], str)
    except (ChannelClosed, ProtocolBroken):
        pass
    finally:
        here.close()


@given(st.lists(_MESSAGES, max_size=5), st.integers(1, 40))
def test_messages_arrive_as_they_were_sent_however_they_are_cut(messages: list[dict[str, object]], size: int) -> None:
    data = b"".join(json.dumps(message).encode() + b"\n" for message in messages)
    here, there = Channel.pair()
    got = []
    with there:
        for start in range(0, len(data), size):
            there.sendall(data[start : start + size])
            while (message := here.take()) is not None:
                got.append(message)
    here.close()
    assert got == messages


@given(st.text(st.characters()))
def test_clean_text_can_be_shown_and_stored(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert all(character in "\t\n" or character.isprintable() or ord(character) >= 0xA0 for character in cleaned)
