"""Structure operators on genomes that are not Python."""

from __future__ import annotations

import random

import pytest
from operator_requests import proposed, request_for
from text_genomes import CODE, FILES, PROMPT, C, genome

from operators.crossover.merge import MergeCrossover
from operators.crossover.uniform import UniformCrossover
from operators.gate import SourceGate, script_contract
from operators.mutation.constants import ConstantMutation
from operators.mutation.mixed import RandomMutation
from operators.mutation.other_edits import PROGRAM_EDITS, PROSE_EDITS, interchange_loops
from operators.mutation.structure import StructureMutation
from operators.proposal import NoOffspring
from operators.protection import Protection
from populations.diversity import normal_form, read_program
from trainer.genome import join, parts_of, unmarked
from trainer.source_text import spliced

DRAWS = 60


def gate(name: str, source: str) -> SourceGate:
    protection = Protection(source, (name,), ())
    return SourceGate(script_contract((name,), lambda: source), lambda _: None, protection=lambda: protection)


@pytest.mark.parametrize("name", CODE)
def test_every_edit_of_a_program_finds_a_place_and_leaves_it_readable(name: str) -> None:
    source = genome(name)
    (part,) = parts_of(source)
    for title, edit in PROGRAM_EDITS.items():
        changes = list(edit(part))
        assert changes or (name == "kernel.rs" and title == "interchange two loops"), title
        for change in changes:
            child = join({name: spliced(part.text, change.splices)})
            assert not list(read_program(child).faults(exact=False)), change.phrase
            assert child != source


def test_loops_are_interchanged() -> None:
    (change,) = interchange_loops(parts_of(genome("kernel.c"))[0])
    outer, inner = "for (int i = 0; i < SIZE; i++)", "for (int j = 0; j < TILE; j++)"
    child = spliced(C, change.splices)
    assert child.index(inner) < child.index(outer)


def test_every_edit_of_a_prose_changes_whole_sentences() -> None:
    (part,) = parts_of(genome("prompt.txt"))
    children = {spliced(PROMPT, change.splices) for edit in PROSE_EDITS.values() for change in edit(part)}
    assert "Answer with one word.\nThink of at most 3 examples. <!-- evo: constant -->\nBe brief.\n" in children
    assert all("at most 3 examples. <!-- evo: constant -->" in child for child in children)


@pytest.mark.parametrize("name", FILES)
def test_offspring_pass_the_gate_and_leave_fixed_lines_alone(name: str) -> None:
    source = genome(name)
    for seed in range(10):
        child = proposed(RandomMutation(), request_for(source, seed=seed, gate=gate(name, source))).source
        assert normal_form(child) != normal_form(source)
        assert name != "kernel.c" or "#define SIZE 128\n/* evo: end */" in child


@pytest.mark.parametrize("name", [*CODE, "prompt.txt"])
def test_structure_differs_from_draw_to_draw(name: str) -> None:
    chance = random.Random(1)
    drafts = [StructureMutation().mutate(genome(name), chance) for _ in range(DRAWS)]
    assert len({draft.source for draft in drafts}) > 5
    lines = unmarked(genome(name)).split("\n")
    for draft in drafts:
        line = int(draft.idea.split()[2].rstrip(":"))
        assert lines[line - 1] not in unmarked(draft.source).split("\n")[line - 1 : line] or "duplicated" in draft.idea


def test_data_has_constants_alone() -> None:
    with pytest.raises(NoOffspring):
        StructureMutation().mutate(genome("run.yaml"), random.Random(0))
    assert ConstantMutation().mutate(genome("run.yaml"), random.Random(0)).source != genome("run.yaml")


def test_crossovers() -> None:
    name = "run.yaml"
    first, second = (
        genome(name, FILES[name].replace(*pair)) for pair in (("tile: 16", "tile: 32"), ("scale: -0.5", "scale: -1.5"))
    )
    both = first.replace("scale: -0.5", "scale: -1.5")
    request = request_for(first, second, gate=gate(name, genome(name)), ancestor=genome(name))
    assert proposed(MergeCrossover(), request).source == both
    children = {
        proposed(UniformCrossover(), request_for(first, second, seed=seed, gate=gate(name, genome(name)))).source
        for seed in range(10)
    }
    assert children <= {both, genome(name)}


def test_a_genome_of_python_and_yaml_varies_in_both() -> None:
    source = join({"train.py": "RATE = 0.1\n\n\ndef f(x):\n    return x + 1\n", "run.yaml": "rate: 0.2\n"})
    names = ("train.py", "run.yaml")
    closed = SourceGate(script_contract(names, lambda: source), lambda _: None)
    children = {proposed(RandomMutation(), request_for(source, seed=seed, gate=closed)).source for seed in range(30)}
    assert any("run.yaml =====\nrate: 0.2\n" in child and "return x + 1" not in child for child in children)
    assert any("rate: 0.2" not in child for child in children)
    assert all("# ===== evo file: run.yaml =====\n" in child for child in children)
