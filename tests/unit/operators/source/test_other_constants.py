"""Constants of genomes that are not Python: found, changed in place, and told from structure."""

from __future__ import annotations

import pytest
from text_genomes import FILES, YAML, genome

from operators.source.constants import Value, constants_and_structure, find_constants, replace_constants
from operators.source.literals import Range
from trainer.genome import join


def values(source: str) -> dict[str, Value]:
    return {name: one.value for name, one in find_constants(source).items()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kernel.c", {"TILE": 16, "SCALE": -0.5, "SIZE": 128}),
        ("kernel.cpp", {"TILE": 16, "SCALE": -0.5, "SIZE": 128}),
        ("kernel.cu", {"TILE": 16, "SCALE": -0.5, "SIZE": 128}),
        ("kernel.rs", {"TILE": 16, "SCALE": -0.5}),
        (
            "run.yaml",
            {
                "model.tile": 16,
                "model.activation": "gelu",
                "model.layers.0.width": 8,
                "model.layers.1.width": 4,
                "model.sizes": (1, 2),
                "scale": -0.5,
                "rate": 3e-4,
                "bias": True,
            },
        ),
        ("run.toml", {"scale": -0.5, "model.tile": 16, "model.steps": 1000, "model.bias": True}),
        ("run.json", {"model.tile": 16, "model.sizes": (1, 2), "scale": -0.5, "bias": True}),
        ("prompt.txt", {"most": 3}),
    ],
)
def test_what_is_found(name: str, expected: dict[str, Value]) -> None:
    assert values(genome(name)) == expected


@pytest.mark.parametrize("name", FILES)
def test_each_stands_where_it_says(name: str) -> None:
    source = genome(name)
    for one in find_constants(source).values():
        assert source.encode()[one.start : one.end].decode() == one.text
        assert one.text in source.split("\n")[one.line - 1]


def test_what_is_under_a_key_of_the_evaluation_is_none() -> None:
    eval_tables = "[agent.eval]\nn = 64\n[agent.eval.sampling]\ntop = 3\n[wandb]\noffline = true\n"
    text = f"[optim]\nlr = 0.1\n{eval_tables}[agent.sampling]\ntop = 3\n"
    assert values(join({"train.toml": text})) == {"optim.lr": 0.1, "agent.sampling.top": 3}


def test_comments_state_ranges_and_choices() -> None:
    found = find_constants(genome("run.yaml"))
    assert found["model.tile"].range == Range(1, 64)
    assert found["model.activation"].choices == ("relu", "gelu")
    comments = ("one of: {[1]}, {}", "range: 1 to {[1]}", f"one of: {'[' * 999} {'range:' * 30_000}")
    unusual = find_constants("".join(f"{name} = 3  # {text}\n" for name, text in zip("ABC", comments, strict=True)))
    assert [(one.value, one.choices, one.range) for one in unusual.values()] == [(3, (), None)] * 3


def test_places_in_a_long_list_are_counted_in_the_time_that_its_length_takes() -> None:
    rows = ",".join(['{"rate": 1.5, "steps": 2}'] * 1500)
    found = find_constants(join({"run.json": f'{{"rows": [{rows}]}}'}))
    assert [*found][-2:] == ["rows.1499.rate", "rows.1499.steps"]
    assert len(found) == 3000


def test_new_values_are_written_as_the_language_writes_them() -> None:
    changed = {"model.activation": "relu", "model.sizes": (4, 2), "rate": 1e-5, "bias": False}
    expected = YAML.replace("gelu     #", "relu     #").replace("[1, 2]", "[4, 2]").replace("3.0e-4", "1.0e-5")
    assert replace_constants(genome("run.yaml"), changed) == join({"run.yaml": expected.replace("true", "false")})
    toml = replace_constants(genome("run.toml"), {"model.steps": 20000, "model.bias": False})
    assert "steps = 20_000\n" in toml
    assert "bias = false\n" in toml
    assert "SCALE = -0.25f;" in replace_constants(genome("kernel.c"), {"SCALE": -0.25})
    assert "= -0.25_f64;" in replace_constants(genome("kernel.rs"), {"SCALE": -0.25})


@pytest.mark.parametrize(
    ("file", "text", "name", "value"),
    [
        ("a.lua", "local size = 20 -- evo: constant\n", "size", 20),
        ("a.jl", "rate = 0.5  # range: 0 to 1\n", "rate", 0.5),
        ("a.c", "int f(void) { return g(7); } /* evo: constant */\n", "g", 7),
        ("a.c", "void f(void) {\n  int u = 4; // one of: 1, 2, 4\n}\n", "u", 4),
        ("a.md", "Use words: 50 <!-- range: 10 to 99 -->\n", "words", 50),
    ],
)
def test_a_comment_marks_a_number_in_any_language(file: str, text: str, name: str, value: Value) -> None:
    found = find_constants(join({file: text}))
    assert {name: one.value for name, one in found.items()} == {name: value}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.c", "#define MASK 0x10\n#define TWICE(x) 2\nint f(void) { int i = 3; return i; }\n"),
        ("a.yaml", "seed: 3\nlog_every: 10\nnothing:\ndate: 2024-01-01\nversion: 1.2.3\n"),
        ("a.txt", "Give 3 examples.\n"),
        ("a.lua", "local size = 20\n"),
    ],
)
def test_what_is_none(file: str, text: str) -> None:
    assert find_constants(join({file: text})) == {}


def test_files_beside_python_name_their_constants() -> None:
    source = join({"train.py": "RATE = 0.1\n", "run.yaml": "rate: 0.2\n"})
    assert values(source) == {"RATE": 0.1, "run.yaml:rate": 0.2}
    assert replace_constants(source, {"RATE": 0.3, "run.yaml:rate": 0.4}) == join(
        {"train.py": "RATE = 0.3\n", "run.yaml": "rate: 0.4\n"}
    )


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("prompt.txt", "prompt.md")])
def test_structure_is_what_is_left_without_values(name: str) -> None:
    source = genome(name)
    scale = next(one for one in ("SCALE", "scale") if one in values(source))
    assert constants_and_structure(source)[1] == constants_and_structure(replace_constants(source, {scale: -2.5}))[1]
