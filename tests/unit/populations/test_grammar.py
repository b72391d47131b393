"""Sameness and syntax of genomes that are not Python."""

from __future__ import annotations

import pytest
from text_genomes import FILES, genome

from populations.diversity import normal_form, read_program
from trainer.genome import join


@pytest.mark.parametrize("name", FILES)
def test_every_language_is_read(name: str) -> None:
    program = read_program(genome(name))
    assert not program.statements
    assert not list(program.faults(exact=False))
    assert len(program.normal_form) == 32


@pytest.mark.parametrize(
    ("file", "one", "other", "same"),
    [
        ("a.c", "int x = 1; // one\n", "int  x =\n1;\n", True),
        ("a.c", "int x = 1;\n", "int x = 2;\n", False),
        ("a.yaml", "a:\n  b: 1\n  c: 2\n", "a:\n    b: 1  # one\n    c: 2\n", True),
        ("a.yaml", "a:\n  b: 1\n  c: 2\n", "a:\n  b: 1\nc: 2\n", False),
        ("a.toml", "a = 1\n", "# one\na   = 1\n", True),
        ("a.json", '{"a": 1}\n', '{\n"a":1}\n', True),
        ("a.json", '{"a": "b c"}\n', '{"a": "b  c"}\n', False),
        ("a.rs", "fn f() { g(); h(); }\n", "fn f() { h(); g(); }\n", False),
        ("a.txt", "Be brief.\n", "Be brief.   \n\n", True),
        ("a.txt", "Be brief.\n", "Be  brief.\n", False),
    ],
)
def test_layout_and_comments_make_no_difference(file: str, one: str, other: str, *, same: bool) -> None:
    assert (normal_form(join({file: one})) == normal_form(join({file: other}))) is same


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [("a.json", '{"a": 1,\n "b": }\n', 2), ("a.yaml", "a: 1\nb: [1\n", 1), ("a.toml", "a = 1\nb = = 2\n", 2)],
)
def test_what_a_grammar_cannot_read_is_a_syntax_error(file: str, text: str, line: int) -> None:
    with pytest.raises(SyntaxError) as raised:
        read_program(join({file: text}))
    assert raised.value.lineno == line


def test_macros_are_no_error_but_told() -> None:
    program = read_program(join({"a.c": "int x = 1;\nREPEAT(3) int y = ;\n"}))
    assert {line for line, _ in program.faults(exact=False)} == {2}


def test_the_python_of_a_genome_is_read_beside_its_other_files() -> None:
    source = join({"run.yaml": "rate: 0.1\n", "train.py": "def f():\n    return 1\n"})
    (function,) = read_program(source).tree.body
    assert function.lineno == 4
    assert normal_form(source) != normal_form(source.replace("0.1", "0.2"))
