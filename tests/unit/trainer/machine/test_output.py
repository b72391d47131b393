"""What a program prints: two streams, lines as a terminal shows them, and the end of it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.machine.output import Output, Screen


class _Program:
    """The writing ends of the pipes of an output."""

    def __init__(self) -> None:
        self._reading, writing = zip(*(os.pipe() for _ in range(2)), strict=True)
        self.stdout, self.stderr = (os.fdopen(one, "wb", buffering=0) for one in writing)
        self.output = Output(*self._reading)

    def close(self) -> None:
        for pipe in (self.stdout, self.stderr):
            pipe.close()
        for descriptor in self._reading:
            os.close(descriptor)


@pytest.fixture
def program() -> Iterator[_Program]:
    made = _Program()
    yield made
    made.close()


def test_the_end_of_the_output_is_kept(program: _Program) -> None:
    program.output.read()
    assert (program.output.tail(), program.output.total_bytes) == ("", 0)
    for part in [b"a" * 60_000, b"b" * 10_000, b"\xe2\x82", b"\xac\xff"]:
        program.stdout.write(part)
        program.output.read()
    program.stdout.close()
    program.output.read()
    assert len(program.output.descriptors) == 1
    assert program.output.total_bytes == 70_004
    assert program.output.tail().replace("\n", "").endswith("b" * 10_000 + "€\ufffd")
    assert len(program.output.tail()) == 16_384


def test_a_bar_on_one_stream_does_not_cut_a_line_of_the_other(program: _Program) -> None:
    for step in range(1000):
        program.stderr.write(b"\r%d/1000" % step)
        if step == 500:
            program.stdout.write(b"val_loss: ")
            program.output.read()
    program.stdout.write(b"1.5\n")
    program.output.read()
    assert program.output.tail() == "val_loss: 1.5\n999/1000"


def test_what_was_said_last_is_known_though_another_line_is_open(program: _Program) -> None:
    program.stdout.write(b"step 3 ...")
    program.output.read()
    program.stderr.write(b"Traceback\nKeyError: 3\n")
    program.output.read()
    assert program.output.last_line == "KeyError: 3"
    program.stdout.write(b" done")
    program.output.read()
    assert program.output.last_line == "step 3 ... done"


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"10%\r20%\r100%\n", ["100%"]),
        (b"100%\r\n", ["100%"]),
        (b"100%\r", ["100%"]),
        (b"bar\r\x1b[2K\rloss: 1\n", ["loss: 1"]),
        (b"bar bar\r       \rloss: 1\n", ["loss: 1"]),
        (b"loss: 0.12345\rloss: 0.1\n", ["loss: 0.1"]),
        (b"loss: 0.5 accuracy: 0.9\rdone\n", ["… 0.5 accuracy: 0.9", "done"]),
        (b"\x1b[31mlong red\x1b[0m\rshort\n", ["short"]),
        (b"a\x0cb\x1cc\n", ["abc"]),
        (b"loss: 9\b0.5\n", ["loss: 0.5"]),
        (b"12%\b\b\b100%\b\b\b\b\b\x1b[1mloss: 1\n", ["loss: 1"]),
        (b"loss: 2\rloss: 9\b1\n", ["loss: 1"]),
        (b"\n\n\r\n", []),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_lines_are_those_that_a_terminal_shows(printed: bytes, lines: list[str], size: int) -> None:
    screen = Screen()
    shown = [line for start in range(0, len(printed), size) for line in screen.feed(printed[start : start + size])]
    assert [*shown, *screen.rest()] == lines


@given(
    st.lists(st.sampled_from([b"ab", b"\r", b"\n", b"x" * 700, b"\xe2\x82\xac", b"\x1b[K", b"\b"])),
    st.integers(1, 5000),
)
def test_how_a_stream_arrives_changes_nothing(pieces: list[bytes], size: int) -> None:
    printed = b"".join(pieces)[:16_000]
    whole, cut = Screen(), Screen()
    shown = [line for start in range(0, len(printed), size) for line in cut.feed(printed[start : start + size])]
    assert [*shown, *cut.rest()] == [*whole.feed(printed), *whole.rest()]
