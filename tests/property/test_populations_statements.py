"""Reading a source in remembered pieces gives what parsing the whole of it gives, errors included."""

from __future__ import annotations

import ast
from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st
from operator_requests import SEED, SMALL
from property_cases import cases

from populations.statements import Statement, parsed_statements, read_statements
from trainer.source_text import UNREADABLE

LINES = [
    *("x = 1", "y = f(", "a, b,", ")", "z = [", "]", "x = 1; y = 2", "x = 1;", "pass", "    pass", "  x = 2", "\tpass"),
    *("if x:", "if x: y = 1", "else:", "elif y:", "else: x = 3", "elsewhere = 1", "while x: break", "break", "return"),
    *("try:", "except A:", "except A: x = 1", "finally:", "finally: pass", "exceptions = 2", "with a: pass"),
    *(
        "def f(a, b=1):",
        "def g(): return 1",
        "class A:",
        "class B(A): x = 1",
        "async def h(): await x",
        "async",
        "await x",
    ),
    *("@decorate", "@", "@decorate(", "@(", "match x:", "    case 1: pass", "case = 1", "type X = int", "lambda: 0"),
    *('"""', "'''", '"""a"""', "'a'", 'x = """', "x = '''", "'", '"', 'f"""{', '}"""', "x = '''a''' \\", "# it's '''"),
    *(
        "\\",
        "x = 1 \\",
        "x = \\",
        "# note \\",
        "    \\",
        "\\\\",
        "# note",
        "    # note",
        "",
        "  ",
        "\f",
        "\fx = 1",
        "\f  y",
    ),
    *(
        "from __future__ import annotations",
        "x = 1; from __future__ import division",
        "from __future__ import (",
        "é = 1",
    ),
    *("from __future__ import barry_as_FLUFL", "x <> y", "# -*- coding: latin-1 -*-", "\ufeffx = 1", "\0", "\ud800"),
    *(
        "x = 1\r",
        "\\\r",
        "x = 1\ry = 2",
        "x = 1 \\\r",
        "\r",
        "x = '\\d'",
        "0x",
        "1_",
        "print 1",
        "x = 1 2",
        "ｘ = 1",
        "·x",
    ),
]
small_sources = st.lists(st.sampled_from(LINES), max_size=10).map("\n".join)


@st.composite
def edited_genomes(draw: st.DrawFn) -> str:
    lines = draw(st.sampled_from([SEED, SMALL])).split("\n")
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(0, len(lines) - 1))
        last = first + draw(st.integers(0, 3))
        lines[first:last] = draw(st.one_of(st.lists(st.sampled_from([*LINES, *lines]), max_size=3)))
    return "\n".join(lines)


def said(statement: Statement) -> tuple[object, ...]:
    signature = statement.signature
    arguments = ast.dump(signature.arguments, include_attributes=False) if signature and signature.arguments else ""
    called = signature and (signature.kind, signature.name, arguments)
    return (statement.line, statement.digest, statement.is_text, statement.is_future_import, called)


def outcome(read: Callable[[str], tuple[Statement, ...]], source: str) -> object:
    try:
        return list(map(said, read(source)))
    except UNREADABLE as error:
        return type(error), error.args


@given(small_sources)
@cases(800)
@example("@decorate\n# note\n@decorate(\n1)\n\nclass A:\n    pass\n")
@example("x = '''\ny = 1\n'''\nz = 2\n")
@example("# it's '''\nx = 1\ny = 2\n")
@example("x = 1\n\\\ny = 2\n")
@example("if x: y = 1\nelse: y = 2\n")
@example('"""Doc."""\nfrom __future__ import annotations\nx = 1\nfrom __future__ import division\n')
def test_any_lines(source: str) -> None:
    assert outcome(read_statements, source) == outcome(parsed_statements, source)


@given(edited_genomes())
@cases(60)
def test_edited_genomes(source: str) -> None:
    assert outcome(read_statements, source) == outcome(parsed_statements, source)
