from __future__ import annotations

import pytest

from operators.llm.edits import UnusableReply, parse_idea, revise

SOURCE = """\
import torch

RATE = 0.1  # slow


def build_model(task):
    if task:
        x = 1
        y = 2
    return x


def train(model, task):
    x = 1
    return x
"""


def block(search: str, replace: str) -> str:
    return f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


@pytest.mark.parametrize(
    "reply",
    [
        block("RATE = 0.1  # slow", "RATE = 0.2"),
        block("RATE = 0.1  # slow  ", "RATE = 0.2"),
        block("\nRATE = 0.1  # slow\n\n", "\nRATE = 0.2\n\n"),
        block("   RATE = 0.1  # slow", "   RATE = 0.2"),
        f"Here it is:\n```python\n{block('RATE = 0.1  # slow', 'RATE = 0.2')}```\nEnjoy.",
        block("RATE = 0.1  # slow", "RATE = 0.2").replace("<<<<<<<", "<<<<<<").replace(">>>>>>> ", ">>>>>>>> "),
        block("RATE = 0.1  # slow", "RATE = 0.2").replace("\n", "  \n"),
        "```python\n" + SOURCE.replace("RATE = 0.1  # slow", "RATE = 0.2") + "```",
    ],
    ids=["exact", "blanks", "blank lines", "indented", "fenced", "markers", "trailing blanks", "whole program"],
)
def test_replies_that_can_be_read_in_one_way(reply: str) -> None:
    revised = revise(SOURCE, reply)
    assert [line.rstrip() for line in revised.split("\n")] == SOURCE.replace("0.1  # slow", "0.2").split("\n")


def test_edits_refer_to_the_source_as_given() -> None:
    reply = block("RATE = 0.1  # slow", "RATE = 0.1  # slow\nRATE_2 = RATE") + block(
        "def train(model, task):", "def f():"
    )
    revised = revise(SOURCE, reply)
    assert "RATE_2 = RATE\n" in revised
    assert "def f():\n    x = 1" in revised


def test_deletion() -> None:
    assert "y = 2" not in revise(SOURCE, "<<<<<<< SEARCH\n        y = 2\n=======\n>>>>>>> REPLACE\n")


def test_a_replacement_takes_the_indentation_of_its_place() -> None:
    revised = revise(SOURCE, block("x = 1\ny = 2", "x = 1\nif x:\n    y = 3"))
    assert "    if task:\n        x = 1\n        if x:\n            y = 3\n    return x" in revised


def test_a_replacement_loses_indentation_that_its_place_lacks() -> None:
    assert "def f(m, t):\n    x = 1" in revise(SOURCE, block("  def train(model, task):", "  def f(m, t):"))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "no change"),
        ("Raise the rate.", "no change"),
        ("```\na = 1\n```\n```\nb = 2\n```", "2 code blocks"),
        ("```python\nimport torch", "cut off"),
        (block("RATE = 0.1  # slow", "RATE = 0.1  # slow"), "changes nothing"),
        (f"```python\n{SOURCE}```", "changes nothing"),
        (block("x = 1", "x = 2"), r"matches 2 places of the program \(lines 8, 14\)"),
        (block("RATE = 0.5", "RATE = 0.2"), r"not in the program[^|]*\|[^|]*\| RATE = 0.1  # slow"),
        (block("    x = 1\n    return", "x"), "not in the program"),
        (block("if task:\n    x = 1\n      y = 2", "pass"), "indented differently"),
        (block("", "x = 1"), "empty SEARCH"),
        (block("RATE = 0.1  # slow", "a") + block("RATE = 0.1  # slow\n", "b"), r"same lines \(3 to 3\)"),
        ("<<<<<<< SEARCH\nRATE = 0.1  # slow\n=======\nRATE = 0.2\n", "incomplete"),
        ("<<<<<<< SEARCH\nRATE = 0.1  # slow\n>>>>>>> REPLACE\n", "exactly one ======="),
        (block("RATE = 0.1  # slow", "a\n=======\nb"), "exactly one ======="),
        ("<<<<<<< SEARCH\n" + block("RATE = 0.1  # slow", "a"), "incomplete"),
        ("=======\nRATE = 0.2\n>>>>>>> REPLACE\n", "never begun"),
    ],
)
def test_replies_that_cannot(reply: str, reason: str) -> None:
    with pytest.raises(UnusableReply, match=reason):
        revise(SOURCE, reply)


@pytest.mark.parametrize(
    ("reply", "idea"),
    [
        ("Hypothesis: faster.\n" + block("a", "b"), "faster."),
        ("Sure!\n\n**Hypothesis:** faster.\n" + block("a", "b"), "faster."),
        ("# hypothesis : **faster**", "faster"),
        ("```\nHypothesis: faster.\n" + block("a", "b") + "```", "faster."),
        (block("Hypothesis: a", "b") + "I raise the rate.\nAnd more.", "I raise the rate."),
        ("```python\nx = 1\n```", ""),
        ("Hypothesis: a\u202eb\tc\x07 d\n", "ab c d"),
        ("Hypothesis: " + "long " * 100, "long " * 59 + "long…"),
    ],
)
def test_the_idea_is_the_line_of_hypothesis(reply: str, idea: str) -> None:
    assert parse_idea(reply) == idea


def test_exact_indentation_decides_between_places() -> None:
    assert "def train(model, task):\n    x = 2" in revise(SOURCE, block("    x = 1", "    x = 2"))
