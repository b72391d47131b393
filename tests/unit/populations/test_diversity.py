from __future__ import annotations

import subprocess
import sys
import time

import pytest
from operator_requests import SEED

from populations import statements
from populations.diversity import normal_form, read_program
from populations.statements import parsed_statements

SAME = {
    "comments": ("x = 1  # one\n", "# two\nx = 1\n"),
    "blank lines": ("x = 1\n\n\ny = 2\n", "x = 1\ny = 2\n"),
    "line breaks": ("f(a, b)\n", "f(\n    a,\n    b,\n)\n"),
    "parentheses": ("x = (a + b)\n", "x = a + b\n"),
    "quotes": ("x = 'a'\n", 'x = "a"\n'),
    "number spelling": ("x = 1_000 + 0x10\n", "x = 1000 + 16\n"),
    "module docstring": ('"""a"""\nx = 1\n', "x = 1\n"),
    "function docstring": ('def f():\n    """a"""\n    return 1\n', "def f():\n    return 1\n"),
    "class docstring": ('class A:\n    """a"""\n    x = 1\n', "class A:\n    '''b'''\n    x = 1\n"),
    "pass on its own line": ("if x: pass\n", "if x:\n    pass\n"),
    "loop body on its own line": ("while True: break\n", "while True:\n    # once\n    break\n"),
    "indentation": ("if x:\n  y = 1\n", "if x:\n\ty = 1\n"),
    "semicolons": ("x = 1; y = 2\n", "x = 1\ny = 2\n"),
}

DIFFERENT = {
    "integer and float": ("x = 1\n", "x = 1.0\n"),
    "integer and bool": ("x = 1\n", "x = True\n"),
    "text and bytes": ("x = 'a'\n", "x = b'a'\n"),
    "zero and minus zero": ("x = 0.0\n", "x = -0.0\n"),
    "float and complex": ("x = 1.0\n", "x = 1.0j\n"),
    "none and its name": ("x = None\n", "x = 'None'\n"),
    "operands": ("x = a - b\n", "x = b - a\n"),
    "precedence": ("x = (a + b) * c\n", "x = a + b * c\n"),
    "names": ("x = a\n", "x = b\n"),
    "keyword names": ("f(a=1)\n", "f(b=1)\n"),
    "asserts": ("assert x\n", "pass\n"),
    "statement order": ("f()\ng()\n", "g()\nf()\n"),
    "nesting": ("if a:\n    f()\n    g()\n", "if a:\n    f()\ng()\n"),
    "text that is no docstring": ("x = 1\n'a'\nf('b')\n", "x = 1\n'a'\nf('c')\n"),
    "list lengths": ("x = [[1], 2]\n", "x = [[1, 2]]\n"),
    "default arguments": ("def f(a, b=1): pass\n", "def f(a=1, b=1): pass\n"),
    "generators": ("def f():\n    if 0: yield\n", "def f():\n    if 0: g\n"),
    "set members": ("x = y in {1, 2}\n", "x = y in {1, 3}\n"),
    "f-string conversions": ("x = f'{a!r}'\n", "x = f'{a!s}'\n"),
    "relative imports": ("from .a import b\n", "from ..a import b\n"),
    "async": ("def f(): pass\n", "async def f(): pass\n"),
    "dead branches": ("if 0: f()\n", "if 0: g()\n"),
}


@pytest.mark.parametrize("case", SAME)
def test_layout_comments_and_docstrings_do_not_count(case: str) -> None:
    first, second = SAME[case]
    assert normal_form(first) == normal_form(second)


@pytest.mark.parametrize("case", DIFFERENT)
def test_behaviour_counts(case: str) -> None:
    first, second = DIFFERENT[case]
    assert normal_form(first) != normal_form(second)


def test_form_is_32_hex_digits() -> None:
    assert len(normal_form(SEED)) == 32
    int(normal_form(SEED), 16)


def test_form_is_stable_between_processes() -> None:
    program = "import sys; from populations.diversity import normal_form; print(normal_form(sys.stdin.read()))"
    forms = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=SEED + "x = y in {'a', 'b', 'c'}\n",
            env={"PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(forms) == 1


def test_doubtful_escapes_warn_nobody() -> None:
    assert normal_form("x = '\\d'\n") == normal_form("x = '\\\\d'\n")


def test_reading_leaves_docstrings_in_the_tree() -> None:
    program = read_program('"""a"""\n')
    assert len(program.tree.body) == 1


def test_broken_source_is_a_syntax_error() -> None:
    with pytest.raises(SyntaxError):
        normal_form("def f(:\n")


def test_a_large_genome_takes_milliseconds() -> None:
    def seconds() -> float:
        begin = time.thread_time()
        parsed_statements(SEED * 2)
        return time.thread_time() - begin

    assert min(seconds() for _ in range(5)) < 0.05


def test_of_an_offspring_only_what_is_new_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = statements.parse
    monkeypatch.setattr(statements, "parse", lambda source: parsed.append(source) or parse(source))
    first, *rest = SEED.split("\nclass ", 1)
    read_program(SEED)
    parsed.clear()
    read_program(first + "\nADDED = 1\n\nclass " + "".join(rest))
    assert sum(map(len, parsed)) < len(SEED) / 20
