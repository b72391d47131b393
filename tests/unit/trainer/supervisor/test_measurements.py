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
from trainer.supervisor.measurements import code_lines, executed, give_weights, read_parameters, take_weights
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
        ("a.c", "int x;\n" + "/* /\n" * 10_000 + "*/\n", 1),
        ("a.c", "/* one */" + "/*\n" * 10_000, 10_000),
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


def test_a_long_line_counts_for_what_it_holds() -> None:
    assert code_lines(f"exec({'x = 1; ' * 100!r})") == 6


def test_blanks_hide_no_code() -> None:
    blanks = "\t " * 600
    assert code_lines(f"x = 1{blanks}\n{blanks}\ny = 2\n") == 2
    assert code_lines(f"x = 1 + \\\n{blanks}\\\n1\n") == 3
    assert code_lines(f'x = """a{blanks}\n{blanks}\n"""\n') == 22


def test_a_docstring_hides_no_code_beside_it() -> None:
    assert code_lines('def f(): "Say."; return 1\n') == 1


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        (
            SOURCE.partition("class")[0],
            (
                '""\n\n\nimport os\n\n\n\ndef f(a,\n      b):\n    ""\n    text = """not a\n'
                'docstring"""\n    return (a +\n\n            b)\n\n\n'
            ),
        ),
        ('"""two\nlines"""; x = 1\n', '"""two\nlines"""; x = 1\n'),  # nothing can stand for it on one line
        ('def f(): "é"  # é\r\nx = "#"', 'def f(): ""\nx = "#"'),
        ("x = 1 \t\n\t \nif x: \t\\\n\t \\\n\ty = 2 \t", "x = 1\n\nif x: \\\n \\\n\ty = 2"),
        ('x = """a \t\n\t \n"""\t', 'x = """a \t\n\t \n"""'),
        ("# coding: latin-1\nx = 'é'", "\nx = 'Ã©'"),  # what Python reads in the UTF-8 that the genome is written in
    ],
)
def test_candidates_run_what_is_counted(source: str, bare: str) -> None:
    assert executed(source) == bare


def test_all_that_weights_hold_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    weights = {"a": np.zeros((3, 4), np.float32)}
    save_file(weights, path)
    plain = read_parameters(path)
    save_file({"a": np.zeros((3, 2), np.float64)}, path)
    packed = read_parameters(path)
    save_file(weights, path, metadata={"hidden": "w" * 4000})
    annotated = read_parameters(path)

    assert plain == packed
    assert plain - 12 < 40  # a header of names, types and places
    assert annotated >= plain + 1000


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


def to_a_file(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def to_itself(path: Path, outside: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("mischief", [to_a_file, to_itself])
def test_weights_are_given_through_no_link(tmp_path: Path, mischief: Callable[[Path, Path], None]) -> None:
    kept, outside, scratch = tmp_path / "weights.safetensors", tmp_path / "precious", tmp_path / "scratch"
    scratch.mkdir()
    kept.write_bytes(b"weights")
    outside.write_bytes(b"precious")
    mischief(scratch / kept.name, outside)

    give_weights(kept, scratch)

    assert (scratch / kept.name).read_bytes() == kept.read_bytes() == b"weights"
    assert outside.read_bytes() == b"precious"


def test_a_folder_in_the_place_of_weights_is_a_broken_rule(tmp_path: Path) -> None:
    kept, scratch = tmp_path / "weights.safetensors", tmp_path / "scratch"
    (scratch / kept.name).mkdir(parents=True)
    kept.write_bytes(b"weights")

    with pytest.raises(Ended, match=r"left no place for weights\.safetensors") as ended:
        give_weights(kept, scratch)
    assert ended.value.status is Status.REJECTED
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [kept.name]


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
