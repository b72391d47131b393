from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st
from operator_requests import SEED, SMALL
from property_cases import cases

from populations.diversity import normal_form

names = st.sampled_from(["a", "b", "c"])
constants = st.one_of(
    st.integers(0, 300), st.floats(0, 10), st.booleans(), st.none(), st.text(max_size=3), st.binary(max_size=3)
).map(repr)
expressions = st.recursive(
    st.one_of(names, constants),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "<", "in", "and"]), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: "{" + ", ".join(items) + "}"),
        st.tuples(names, st.lists(inner, max_size=2)).map(lambda call: f"{call[0]}({', '.join(call[1])})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
    ),
    max_leaves=8,
)
programs = st.lists(st.tuples(names, expressions).map(lambda pair: f"{pair[0]} = {pair[1]}"), max_size=4).map(
    lambda lines: "\n".join([*lines, ""])
)


@given(programs, programs)
@cases(300)
def test_forms_are_equal_exactly_when_the_trees_are(first: str, second: str) -> None:
    same_tree = ast.dump(ast.parse(first)) == ast.dump(ast.parse(second))
    assert (normal_form(first) == normal_form(second)) == same_tree


@given(programs)
def test_reformatting_keeps_the_form(program: str) -> None:
    assert normal_form(ast.unparse(ast.parse(program))) == normal_form(program)


@given(st.sampled_from([SMALL, SEED]), st.data())
@cases(50)
def test_comments_and_blank_lines_anywhere_keep_the_form(genome: str, data: st.DataObject) -> None:
    lines = genome.split("\n")
    statements = [node for node in ast.walk(ast.parse(genome)) if isinstance(node, ast.stmt)]
    place = data.draw(st.sampled_from(statements)).lineno
    remark = data.draw(st.sampled_from(["", "# note", "\t# note", "        # note: x = 1"]))
    changed = "\n".join([*lines[: place - 1], remark, *lines[place - 1 :]])
    assert normal_form(changed) == normal_form(genome)


@given(st.sampled_from([SMALL, SEED]), st.data())
@cases(50)
def test_another_name_anywhere_changes_the_form(genome: str, data: st.DataObject) -> None:
    tree = ast.parse(genome)
    names_read = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    data.draw(st.sampled_from(names_read)).id = "another"
    assert normal_form(ast.unparse(tree)) != normal_form(genome)
