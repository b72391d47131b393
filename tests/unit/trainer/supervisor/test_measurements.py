"""What is read off a genome, its weights and its output without running it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from trainer.evaluation import Status
from trainer.genome import join
from trainer.ipc.frames import Frames, FrameShape
from trainer.machine.output import clean
from trainer.supervisor.measurements import code_lines, read_parameters, take_weights
from trainer.supervisor.watch import Ended

SOURCE = '''"""Docstring
of two lines."""

import os  # a comment on a line of code


# a comment of its own
def f(a,
      b):
    """One line."""
    text = """not a
docstring"""
    return (a +

            b)


class C:
    "Documented."
'''


@pytest.mark.parametrize(
    ("source", "lines"),
    [("", 0), ("\n# nothing\n", 0), ("x = 1; y = 2", 1), ("x = 1\r\ny = 2\r\n", 2), (SOURCE, 8), ("\ufeffx = 1", 1)],
)
def test_lines_of_code_are_those_that_do_something(source: str, lines: int) -> None:
    assert code_lines(source) == lines


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.c", "/* one\n two */\nint x; // three\n// four\n\nint y;\n", 2),
        ("a.yaml", "# one\na: 1\n\nb: 2 # two\n", 2),
        ("a.json", '{\n"a": 1\n}\n', 3),
        ("a.txt", "# Be brief.\n\nSort it.\n", 2),
        ("a.md", "<!-- one\n-->\n# Task\n", 1),
    ],
)
def test_lines_of_other_languages_are_those_with_more_than_a_comment(name: str, text: str, lines: int) -> None:
    assert code_lines(join({name: text})) == lines
    assert code_lines(join({"b.py": "x = 1\n", name: text})) == lines + 1


@pytest.mark.parametrize(
    "source", ["def f(:", "x = '\udcff'", "x\0", "(" * 1000, "x = " + "-" * 200_000 + "1", " x = 1\ny", "'''"]
)
def test_what_is_no_program_is_a_crash(source: str) -> None:
    with pytest.raises(Ended, match=r"\w*Error: ") as ended:
        code_lines(source)
    assert ended.value.status is Status.CRASHED


def test_parameters_are_counted_by_their_shapes(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"a": np.zeros((3, 4), np.float32), "b": np.zeros((), np.float16), "c": np.zeros((0, 5), np.int64)}, path)
    assert read_parameters(path) == 13


def truncated(path: Path) -> None:
    save_file({"a": np.zeros(100, np.float32)}, path)
    os.truncate(path, 200)


def empty(path: Path) -> None:
    path.touch()


def garbage(path: Path) -> None:
    path.write_bytes((64).to_bytes(8, "little") + b"\xff" * 64)


def long_header(path: Path) -> None:
    path.write_bytes((2**40).to_bytes(8, "little"))


@pytest.mark.parametrize("damage", [truncated, empty, garbage, long_header])
def test_damaged_weights_are_refused(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    damage(tmp_path / "weights.safetensors")
    with pytest.raises(Ended, match=r"weights that cannot be read|with a header of 1099511627776 bytes") as ended:
        read_parameters(tmp_path / "weights.safetensors")
    assert ended.value.status is Status.REJECTED


def link(path: Path) -> None:
    path.with_name("target").write_bytes(b"x")
    path.symlink_to("target")


def second_name(path: Path) -> None:
    path.write_bytes(b"x")
    path.with_name("other").hardlink_to(path)


def nothing(path: Path) -> None:
    del path


@pytest.mark.parametrize("mischief", [link, second_name, os.mkfifo, Path.mkdir, nothing])
def test_only_an_ordinary_file_is_taken_as_weights(tmp_path: Path, mischief: Callable[[Path], None]) -> None:
    mischief(tmp_path / "weights.safetensors")
    with pytest.raises(Ended, match=r"not as an ordinary file|handed over no weights") as ended:
        take_weights(tmp_path / "weights.safetensors", tmp_path / "kept")
    assert ended.value.status is Status.REJECTED
    assert not (tmp_path / "kept").exists()


def test_weights_are_moved_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes(b"x")
    assert take_weights(tmp_path / "weights.safetensors", tmp_path / "kept").read_bytes() == b"x"
    assert not (tmp_path / "weights.safetensors").exists()


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        ("50%\r100%\r\nnext", "50%\n100%\nnext"),
        ("a\x00b\x08c\x7fd\x9be", "abcde"),
        ("\u202eevil\u2069", "evil"),
        ("tab\tkept é 文 \U0001f600", "tab\tkept é 文 \U0001f600"),
        ("\ud800lone", "lone"),
    ],
)
def test_output_is_cleaned(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_shared_memory_is_seen_from_both_sides_and_keeps_its_size() -> None:
    shape = FrameShape(2, 3, 5)
    here = Frames.create(shape)
    there = Frames(os.dup(here.descriptor), shape)
    here.tokens[:] = np.arange(6).reshape(2, 3)
    there.logits[1, 2] = 7.5
    assert there.tokens.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert here.logits.sum() == 37.5
    for size in (0, shape.total_bytes + 4096):
        with pytest.raises(PermissionError):
            os.ftruncate(there.descriptor, size)
    view = here.logits[0]
    for frames in (here, there):
        frames.close()
    assert view.sum() == 0
