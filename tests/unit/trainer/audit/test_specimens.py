"""The audit's genomes are complete source files, whatever their files leave to the common part."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from trainer.audit import CHEATS, HONEST, Specimen, load_specimens, specimens
from trainer.audit.specimens import completed

NAMES = ("Model", "build_model", "train")
COMMON = Path(specimens.__file__).with_name("common.py").read_text()
SPECIMENS = load_specimens(CHEATS) + load_specimens(HONEST)


def definitions(source: str) -> Counter[str]:
    body = ast.parse(source).body
    return Counter(node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef))


def bodies(source: str) -> set[str]:
    return {ast.dump(node) for node in ast.parse(source).body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def test_the_common_part_defines_what_a_genome_needs() -> None:
    assert {*NAMES} < {*definitions(COMMON)}


def test_a_genome_gets_what_it_does_not_define() -> None:
    assert [*definitions(completed("EXPECTED = ['ok']\n"))] == ["Table", "Model", "answer", "build_model", "train"]


def test_a_genome_gets_what_it_uses() -> None:
    source = completed("def answer(model, tokens):\n    return whisper(model, tokens)\n")
    assert [*definitions(source)] == [
        "Table",
        "Model",
        "ahead",
        "leave",
        "find",
        "whisper",
        "build_model",
        "train",
        "answer",
    ]


def test_a_genome_keeps_what_it_defines() -> None:
    own = "class Model:\n    pass\n\n\ndef train(model, task):\n    pass\n"
    source = completed(own)
    assert source.endswith(own)
    assert definitions(source) == Counter(NAMES)
    assert bodies(own) < bodies(source)


def test_a_complete_genome_is_left_as_it_is() -> None:
    complete = "Model = None\ndef build_model(task): pass\ndef train(model, task): pass\nclass Model: pass\n"
    assert completed(complete) == complete


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda one: one.name)
def test_every_genome_is_complete_and_keeps_its_own_text(specimen: Specimen) -> None:
    compile(specimen.source, specimen.name, "exec")
    found = definitions(specimen.source)
    assert {name: found[name] for name in NAMES} == dict.fromkeys(NAMES, 1)
    own = Path(specimens.__file__).with_name(specimen.kind) / f"{specimen.name}.py"
    text = own.read_text()
    docstring = "".join(text.splitlines(keepends=True)[: ast.parse(text).body[0].end_lineno])
    assert specimen.source.startswith(docstring)
    assert specimen.source.endswith(text.removeprefix(docstring))
    assert not bodies(text) & bodies(COMMON)
