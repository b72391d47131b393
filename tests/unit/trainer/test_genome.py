"""Genomes of several files as one text: joined and divided again, and refused where they cannot be."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from operator_requests import proposed, request_for

from operators.crossover.merge import MergeCrossover
from operators.crossover.uniform import UniformCrossover
from operators.gate import SourceGate, script_contract
from operators.mutation.mixed import RandomMutation
from operators.mutation.structure import StructureMutation
from operators.proposal import Operator, Refused
from trainer.errors import GenomeError
from trainer.genome import join, parts_of, python_of, remarked, source_lines, split, unmarked, with_python

NAMES = ("a.py", "pkg/b.py", "pkg/sub/c.py")
MARKERS = [f"# ===== evo file: {name} =====\n" for name in NAMES]

# Among them everything that `str.splitlines` takes for the end of a line and Python does not.
lines = st.text(st.sampled_from("xyz #='\"\t\f\v\x1c\x1d\x1e\x85\u2028\u2029é🙂"), max_size=12).map(
    lambda text: text + "\n"
)
contents = st.lists(lines, max_size=5).map("".join)


@given(st.lists(contents, min_size=2, max_size=3))
def test_dividing_undoes_joining(texts: list[str]) -> None:
    files = dict(zip(NAMES, texts, strict=False))
    assert split(join(files), tuple(files)) == files
    assert list(split(join(files), tuple(files))) == list(files)


@given(st.text())
def test_one_file_is_the_text_itself(text: str) -> None:
    assert join({"train.py": text}) == text
    assert split(text, ("train.py",)) == {"train.py": text}


def test_a_marker_within_a_line_is_none() -> None:
    inside = f"text = 'a\u2028{MARKERS[1].rstrip()}'\n {MARKERS[1]}"
    source = MARKERS[0] + inside + MARKERS[1] + "x = 1\n"
    assert split(source, NAMES[:2]) == {"a.py": inside, "pkg/b.py": "x = 1\n"}


def test_files_may_be_empty() -> None:
    assert split("".join(MARKERS), NAMES) == dict.fromkeys(NAMES, "")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1\n",
        "x = 1\n" + "".join(MARKERS),
        "\n" + "".join(MARKERS),
        MARKERS[0] + MARKERS[1],
        MARKERS[1] + MARKERS[0] + MARKERS[2],
        MARKERS[0] + MARKERS[1] + MARKERS[2] + MARKERS[0],
        MARKERS[0] + MARKERS[0] + MARKERS[1] + MARKERS[2],
        MARKERS[0] + MARKERS[1].replace("=====\n", "===== \n") + MARKERS[2],
        MARKERS[0] + MARKERS[1].lower().replace("evo", "Evo") + MARKERS[2],
    ],
)
def test_every_file_stands_once_and_in_order_under_its_marker(source: str) -> None:
    with pytest.raises(GenomeError) as raised:
        split(source, NAMES)
    message = str(raised.value)
    assert message.startswith("the genome is 3 files, each under its own line and in this order: ")
    assert all(marker.strip() in message for marker in MARKERS)
    assert "\n" not in message


# Several files at the gate

FUTURE = "from __future__ import annotations\n"


def gate(names: Sequence[str] = NAMES[:2]) -> SourceGate:
    return SourceGate(script_contract(names), known=lambda _: None)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FUTURE + "x = 1\n", FUTURE + "y = 2\n"),
        (FUTURE + "x = 1\n", '"""Second."""\n' + FUTURE + FUTURE + "y = 2\n"),
        ("x = 1\n", FUTURE),
        ("\n# nothing\n", FUTURE),
    ],
)
def test_every_file_may_begin_with_its_future_imports(first: str, second: str) -> None:
    gate().check(join(dict(zip(NAMES, (first, second), strict=False))))


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (FUTURE + "x = 1\n", "y = 2\n" + FUTURE, "line 6: imports from __future__ must come first"),
        (FUTURE + "x = 1\n", "'a'\n'b'\n" + FUTURE, "line 7: imports from __future__ must come first"),
        ("if x:\n    pass\n", "else:\n    pass\n", "pkg/b.py must be a program of its own, but line 1: invalid syntax"),
        ("x = (1,\n", "2)\n", "a.py must be a program of its own, but line 1: '(' was never closed"),
        ("x = '''\n", "'''\n", "a.py must be a program of its own, but line 1: unterminated"),
        ("x = 1\n", MARKERS[0], "the genome is 2 files, each under its own line"),
    ],
)
def test_every_file_is_a_program_of_its_own(first: str, second: str, words: str) -> None:
    with pytest.raises(Refused) as raised:
        gate().check(join(dict(zip(NAMES, (first, second), strict=False))))
    assert words in str(raised.value)


SOURCE = join(
    {
        "a.py": FUTURE + "LR = 0.1\nDEPTH = 4\n\n\ndef loss(x):\n    # how far\n    return abs(x - LR) + DEPTH\n",
        "pkg/b.py": FUTURE + "from a import loss\n\nWIDTH = 64\nRATE = 0.5\n\nprint('loss:', loss(WIDTH) * RATE)\n",
    }
)


def changed(*changes: tuple[str, str]) -> str:
    source = SOURCE
    for old, new in changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    return source


@pytest.mark.parametrize("operator", [RandomMutation(), StructureMutation(), UniformCrossover(), MergeCrossover()])
@pytest.mark.parametrize("seed", range(4))
def test_operators_keep_files_apart(operator: Operator, seed: int) -> None:
    first = changed(("LR = 0.1", "LR = 0.2"), ("return abs(x - LR)", "return (x - LR) ** 2"))
    second = changed(("RATE = 0.5", "RATE = 0.4"), ("WIDTH = 64", "WIDTH = 32"))
    parents = (first, second)[: operator.arity]
    child = proposed(operator, request_for(*parents, seed=seed, gate=gate(), ancestor=SOURCE)).source
    files = split(child, NAMES[:2])
    assert "def loss(x):\n    # how far\n" in files["a.py"]
    assert "from a import loss\n" in files["pkg/b.py"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_source_end_where_python_ends_them(end: str) -> None:
    source = f"a = 1{end}\x0cb = '\x1c\x1d\x1e\x85\u2028\u2029'{end}c = 2"
    lines = source_lines(source, keepends=True)
    assert "".join(lines) == source
    assert [line.removesuffix(end) for line in lines] == source_lines(source)
    assert len(lines) == [node.lineno for node in ast.parse(source).body][-1] == 3
    assert source_lines("") == []


MIXED = {"a.py": "x = 1\n", "run.yaml": "é: 2\n", "b.py": "y = 3\n"}


def test_one_file_that_is_not_python_stands_under_its_marker() -> None:
    source = join({"prompt.txt": "Be brief.\n"})
    assert source == "# ===== evo file: prompt.txt =====\nBe brief.\n"
    assert split(source, ("prompt.txt",)) == {"prompt.txt": "Be brief.\n"}
    assert unmarked(source) == "Be brief.\n"
    assert remarked(source, "Be brief!\n") == join({"prompt.txt": "Be brief!\n"})
    with pytest.raises(GenomeError, match=r"one file, under its own line"):
        split("Be brief.\n", ("prompt.txt",))


def test_parts_know_their_places() -> None:
    source = join(MIXED)
    for part in parts_of(source):
        assert source.encode()[part.start :].decode().startswith(part.text)
        assert source.split("\n")[part.line - 1] == part.text.rstrip()
        assert part.text == MIXED[part.name]
    assert unmarked(source) == remarked(source, source) == source


def test_the_python_of_a_genome_keeps_its_places() -> None:
    source = join(MIXED)
    python = python_of(source)
    assert [len(line.encode()) for line in python.split("\n")] == [len(line.encode()) for line in source.split("\n")]
    assert "é" not in python
    assert with_python(source, python) == source
    assert with_python(source, python.replace("x = 1", "x = 10")) == join(MIXED | {"a.py": "x = 10\n"})
    with pytest.raises(GenomeError):
        with_python(source, "x = 1\n")
