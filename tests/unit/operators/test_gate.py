from __future__ import annotations

import pytest
from operator_requests import SEED, SMALL, gate_knowing

from operators.gate import SourceGate, clean_source, language_model_contract, script_contract
from operators.proposal import Refused
from trainer.genome import join


def refusal(source: str, gate: SourceGate | None = None) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        (gate or gate_knowing()).check(source)
    return caught.value.kind, str(caught.value)


def script_gate(max_bytes: int = 1000) -> SourceGate:
    return SourceGate(script_contract(("train.py",)), lambda form: None, max_bytes)


def test_seed_genome_passes() -> None:
    gate_knowing().check(SEED)
    gate_knowing().check(SMALL)


def test_reading_gives_the_program_without_judging_its_novelty() -> None:
    assert gate_knowing(SMALL).read(SMALL).source == SMALL


def test_large_source() -> None:
    kind, reason = refusal("x = '" + "é" * 500 + "'\n", script_gate(max_bytes=1000))
    assert kind == "too_large"
    assert "1,007 bytes" in reason
    assert "1,000 allowed" in reason


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\0", "U+0000"),
        ("\ud800", "U+D800"),
        ("\u202e", "U+202E"),
        ("\u2066", "U+2066"),
        ("\r", "U+000D"),
        ("\x1b", "U+001B"),
    ],
)
def test_characters_that_hide_or_are_no_text(character: str, name: str) -> None:
    kind, reason = refusal(f"x = 1\ny = '{character}'\n", script_gate())
    assert kind == "unparsable"
    assert "line 2" in reason
    assert name in reason


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("unicode_escape", "x = 1  # \\x0aimport os"),
        ("raw_unicode_escape", "x = 1  # \\u000aimport os"),
        ("utf-7", "x = 1  # +AAo-import os"),
        ("latin-1", "x = 'ä'"),
    ],
)
def test_a_program_is_read_as_python_reads_it(encoding: str, line: str) -> None:
    declaration = f"# -*- coding: {encoding} -*-\n"

    kind, reason = refusal(f"{declaration}{line}\n", script_gate())
    script_gate().read(f"{declaration}x = 1\n")

    assert kind == "unparsable"
    assert "UTF-8" in reason


def test_byte_order_mark() -> None:
    assert refusal("\ufeffx = 1\n", script_gate())[0] == "unparsable"


def test_syntax_error_names_line_and_text() -> None:
    kind, reason = refusal("x = 1\ny = = 2\n", script_gate())
    assert kind == "unparsable"
    assert "line 2" in reason
    assert "`y = = 2`" in reason


MISPLACED = [
    "x = 1\nreturn x\n",
    "x = 1\nbreak\n",
    "class A:\n    return 1\n",
    "x = 1\nif x: continue\n",
    "while x:\n    def f(): break\n",
    "for x in y: pass\nelse: break\n",
    "try: pass\nexcept A: return\n",
    "try: pass\nfinally: return\n",
    "match x:\n    case 1: return\n",
    "with x:\n    break\n",
    "def f():\n    nonlocal x\n",
    "def f(a, a): pass\n",
    "x = (yield)\n",
    "x = 1\nfrom __future__ import annotations\n",
]
IN_PLACE = [
    "def f():\n    for x in y:\n        if x: break\n        else: continue\n    else: return\n",
    "while x:\n    try: break\n    except A: continue\n    finally: pass\n",
    "async def f():\n    async with x:\n        async for y in z: return\n",
    "def f():\n    match x:\n        case 1: return\n",
    '"""Doc."""\nfrom __future__ import annotations\nfrom __future__ import division\nimport a\n',
]


@pytest.mark.parametrize("source", MISPLACED)
def test_statements_that_parse_but_cannot_stand_there(source: str) -> None:
    with pytest.raises(SyntaxError):
        compile(source, "genome", "exec", dont_inherit=True)
    kind, reason = refusal(source, script_gate())
    assert kind == "unparsable"
    assert reason.startswith("line ")


@pytest.mark.parametrize("source", IN_PLACE)
def test_statements_in_their_place(source: str) -> None:
    compile(source, "genome", "exec", dont_inherit=True)
    script_gate().check(source)


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "-" * 3000 + "1\n",
        "x = " + "-" * 100_000 + "1\n",
        "x = " + "(" * 300 + "1" + ")" * 300 + "\n",
        "x = " + "+".join(["a"] * 50_000) + "\n",
        "x = a" + ".b" * 50_000 + "\n",
        "x = " + "lambda:" * 20_000 + "1\n",
        "if a:\n pass\n" + "elif a:\n pass\n" * 5000,
        "if a:\n pass\n" + "elif a:\n pass\n" * 250,
        "x = a" + ".b()" * 120,
    ],
    ids=["signs", "many signs", "parentheses", "sum", "attributes", "lambdas", "branches", "few branches", "calls"],
)
def test_hostile_nesting(source: str) -> None:
    assert refusal(source, script_gate(max_bytes=10**6))[0] == "unparsable"


@pytest.mark.parametrize("source", ["", "\n", "# nothing\n"])
def test_source_without_a_statement(source: str) -> None:
    assert refusal(source, script_gate())[0] == "unparsable"


def test_duplicate_names_the_individual() -> None:
    reformatted = SMALL.replace("  # linear", "").replace('"""A small genome."""', "")
    kind, reason = refusal(reformatted, gate_knowing(SEED, SMALL))
    assert kind == "duplicate"
    assert "individual 2" in reason


BUILD = "def build_model(task): pass\n"
TRAIN = "def train(model, task): pass\n"


@pytest.mark.parametrize(
    "source",
    [
        BUILD + TRAIN,
        "def build_model(task, width=64): pass\ndef train(*arguments, **options): pass\n",
        "def build_model(task, /): pass\ndef train(model, task, *, verbose=False): pass\n",
        "def train(): pass\n" + BUILD + TRAIN,
    ],
)
def test_contract_accepts_what_can_be_called(source: str) -> None:
    gate_knowing().check(source)


@pytest.mark.parametrize(
    ("source", "expected", "came"),
    [
        (BUILD, "train(model, task)", "defines no `train`"),
        (TRAIN, "build_model(task)", "defines no `build_model`"),
        (TRAIN + "def build_model(): pass\n", "build_model(task)", "line 2 defines build_model()"),
        (BUILD + "def train(model): pass\n", "train(model, task)", "line 2 defines train(model)"),
        (BUILD + "def train(model, task, steps): pass\n", "train(model, task)", "train(model, task, steps)"),
        (BUILD + "def train(model, task, *, lr): pass\n", "train(model, task)", "train(model, task, *, lr)"),
        (BUILD + "async def train(model, task): pass\n", "train(model, task)", "an async function"),
        (TRAIN + "class build_model: pass\n", "build_model(task)", "a class"),
        (BUILD + "if True:\n    def train(model, task): pass\n", "top-level function", "defines no `train`"),
    ],
)
def test_contract_says_what_was_expected_and_what_came(source: str, expected: str, came: str) -> None:
    kind, reason = refusal(source)
    assert kind == "contract"
    assert expected in reason
    assert came in reason


def test_contract_comes_before_novelty() -> None:
    gate = SourceGate(language_model_contract, lambda form: 3)
    assert refusal("x = 1\n", gate)[0] == "contract"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("x = 1", "x = 1\n"), ("\ufeffx\r\ny\r\n", "x\ny\n"), ("x\ry\r", "x\ny\n"), ("x\n", "x\n")],
)
def test_clean_source(text: str, cleaned: str) -> None:
    assert clean_source(text) == cleaned


def text_gate(name: str, zero: str) -> SourceGate:
    return SourceGate(script_contract((name,), lambda: join({name: zero})), lambda form: None)


def test_a_syntax_error_in_another_language_names_the_line_as_it_is_shown() -> None:
    kind, reason = refusal(join({"a.json": '{"a": 1,\n "b": }\n'}), text_gate("a.json", "{}\n"))
    assert kind == "unparsable"
    assert reason.startswith("line 2: ")
    assert '`"b": }`' in reason


def test_a_grammar_judges_only_where_it_reads_generation_0() -> None:
    macro = "REPEAT(3) int y = ;\n"
    text_gate("a.c", macro).check(join({"a.c": f"int x = ;\n{macro}"}))
    assert refusal(join({"a.c": "int x = ;\n"}), text_gate("a.c", "int x;\n"))[0] == "unparsable"


@pytest.mark.parametrize("gate", [script_gate(), gate_knowing()])
def test_code_cannot_be_hidden_as_another_file(gate: SourceGate) -> None:
    for before in ("", SMALL):
        kind, reason = refusal(f"{before}# ===== evo file: notes.txt =====\nprint('loss: 0')\n", gate)
        assert kind in ("contract", "unparsable")
        assert "another file" in reason or "build_model" in reason


def test_an_empty_text_is_refused() -> None:
    assert refusal(join({"a.txt": " \n"}), text_gate("a.txt", "Be brief.\n"))[0] == "unparsable"
