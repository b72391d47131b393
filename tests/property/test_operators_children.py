from __future__ import annotations

import ast
import random

from hypothesis import given
from hypothesis import strategies as st
from operator_requests import SEED, SMALL, proposed, relatives, request_for
from property_cases import cases

from operators.crossover.uniform import UniformCrossover
from operators.mutation.constants import ConstantMutation, moved_constant
from operators.mutation.structure import EDITS, StructureMutation
from operators.mutation.syntax import Syntax
from operators.source.constants import find_constants, replace_constants

seeds = st.integers(0, 2**32)
finite = st.floats(allow_nan=False, allow_infinity=False)
integers = st.integers(-(10**30), 10**30)
values = st.one_of(st.booleans(), integers, finite, st.text(), st.tuples(finite, integers), st.tuples(integers))
genomes = st.sampled_from([SMALL, SEED])
syntaxes = {source: Syntax(source) for source in (SMALL, SEED)}


@given(genomes, values, st.data())
@cases(100)
def test_replacing_a_constant_changes_its_span_alone(genome: str, value: object, data: st.DataObject) -> None:
    constants = find_constants(genome)
    constant = constants[data.draw(st.sampled_from(sorted(constants)))]
    child = replace_constants(genome, {constant.name: value}).encode()
    parent = genome.encode()
    tail = len(parent) - constant.end
    assert child[: constant.start] == parent[: constant.start]
    assert child[len(child) - tail :] == parent[constant.end :]
    literal = child[constant.start : len(child) - tail].decode()
    assert repr(ast.literal_eval(literal)) == repr(value)


@given(values)
def test_written_constants_are_found_again(value: object) -> None:
    source = replace_constants("X = 0\n", {"X": value})
    assert repr(find_constants(source)["X"].value) == repr(value)


@given(
    st.one_of(st.integers(-(2**40), 2**40), finite.filter(lambda value: 1e-300 < abs(value) < 1e15), st.booleans()),
    seeds,
)
def test_moves_change_the_value_and_keep_its_type_and_sign(value: float, seed: int) -> None:
    result = moved_constant(find_constants(f"X = {value!r}\n")["X"], random.Random(seed))
    assert type(result) is type(value)
    assert result != value
    if not isinstance(value, bool) and value:
        assert (result > 0) == (value > 0)


@given(genomes, seeds)
@cases(60)
def test_mutated_constants_leave_all_other_lines(genome: str, seed: int) -> None:
    child = ConstantMutation().mutate(genome, random.Random(seed)).source
    lines = {constant.line for constant in find_constants(genome).values()}
    pairs = enumerate(zip(genome.split("\n"), child.split("\n"), strict=True), start=1)
    changed = {number for number, (before, after) in pairs if before != after}
    assert 1 <= len(changed) <= 3
    assert changed <= lines
    ast.parse(child)


@given(genomes, seeds)
@cases(60)
def test_structural_children_parse_and_keep_comments(genome: str, seed: int) -> None:
    child = StructureMutation().mutate(genome, random.Random(seed)).source
    ast.parse(child)
    assert child.endswith("\n")
    header = genome[: genome.index("\n\n\n")]  # up to the first class or function
    assert child.startswith(header)


@given(genomes, st.sampled_from(sorted(EDITS)), st.data())
@cases(150)
def test_edits_touch_one_contiguous_place(genome: str, edit: str, data: st.DataObject) -> None:
    syntax = syntaxes[genome]
    changes = list(EDITS[edit](syntax))
    if not changes:
        return
    change = data.draw(st.sampled_from(changes))
    before, after = genome.split("\n"), syntax.replaced(change.old, change.new).split("\n")
    head = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before))
    tail = next((i for i, (a, b) in enumerate(zip(before[::-1], after[::-1], strict=False)) if a != b), 0)
    shown = change.shown or (change.old,)
    touched = max(len(before), len(after)) - head - tail
    assert touched <= sum(syntax.module.code_for_node(node).count("\n") + 4 for node in shown)


@given(seeds)
@cases(30)
def test_uniform_children_of_relatives_parse_and_take_from_both(seed: int) -> None:
    first, second = relatives()
    child = proposed(UniformCrossover(), request_for(first, second, seed=seed)).source
    allowed = set(first.split("\n")) | set(second.split("\n"))
    assert set(child.split("\n")) <= allowed
