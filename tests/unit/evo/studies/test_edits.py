import textwrap

import pytest

from evo.studies.edits import Change, split_change
from operators.gate import SourceGate, script_contract
from trainer.genome import join

BASE = """
import math

LR = 0.01
WARMUP = 10
DEPTH = 4


class Block:
    def __init__(self, width):
        self.width = width

    def forward(self, x):
        return x * self.width


def rate(step):
    return LR * min(1, step / WARMUP)


def train(steps):
    block = Block(3)
    total = 0
    for step in range(steps):
        total += block.forward(rate(step))
    return math.sqrt(total)
"""


def split(after: str, before: str = BASE, names: tuple[str, ...] = ("train.py",)) -> Change:
    gate = SourceGate(script_contract(names), known=lambda _: None)
    change = split_change(before, after, names, gate.read)
    assert change.made(change.edits) == after
    assert change.made([]) == before
    for edit in change.edits:
        gate.read(change.alone(edit))
        gate.read(change.without(edit))
    return change


def replaced(*changes: tuple[str, str], source: str = BASE) -> str:
    for old, new in changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    return source


def titles(change: Change) -> list[str]:
    return [edit.title for edit in change.edits]


def test_neighbouring_constants_are_edits_of_their_own() -> None:
    change = split(replaced(("LR = 0.01", "LR = 0.02"), ("WARMUP = 10", "WARMUP = 20"), ("DEPTH = 4", "DEPTH = 6")))
    assert titles(change) == ["LR 0.01 → 0.02", "WARMUP 10 → 20", "DEPTH 4 → 6"]
    assert [(edit.added, edit.removed) for edit in change.edits] == [(1, 1)] * 3
    assert change.alone(change.edits[1]) == replaced(("WARMUP = 10", "WARMUP = 20"))
    assert change.without(change.edits[1]) == replaced(("LR = 0.01", "LR = 0.02"), ("DEPTH = 4", "DEPTH = 6"))


def test_a_new_constant_stays_with_what_uses_it() -> None:
    after = replaced(
        ("LR = 0.01\n", "LR = 0.02\nFLOOR = 0.1\n"), ("return LR * min(1,", "return max(FLOOR, LR) * min(1,")
    )
    assert titles(split(after)) == ["LR 0.01 → 0.02", "FLOOR = 0.1"]


def test_a_function_stays_with_its_caller_and_its_import() -> None:
    after = replaced(
        ("import math\n", "import math\nimport random\n"),
        ("def train(", "def shake(x):\n    return x + random.random()\n\n\ndef train("),
        ("block.forward(rate(step))", "block.forward(shake(rate(step)))"),
        ("DEPTH = 4", "DEPTH = 5"),
    )
    change = split(after)
    assert titles(change) == ["def shake(x):", "DEPTH 4 → 5"]


def test_two_functions_that_are_added_in_one_place_go_with_their_callers() -> None:
    after = replaced(
        ("def train(", "def one(x):\n    return x\n\n\ndef two(x):\n    return x\n\n\ndef train("),
        ("block = Block(3)", "block = Block(one(3))"),
        ("math.sqrt(total)", "math.sqrt(two(total))"),
    )
    change = split(after)
    assert titles(change) == ["def one(x):", "def two(x):"]
    assert "two" not in change.alone(change.edits[0])


def test_an_attribute_stays_with_what_reads_it() -> None:
    after = replaced(
        ("        self.width = width\n", "        self.width = width\n        self.scale = 2\n"),
        ("return x * self.width", "return x * self.width * self.scale"),
        ("math.sqrt(total)", "total"),
    )
    assert titles(split(after)) == ["self.scale = 2", "return total"]


def test_a_parameter_stays_with_what_passes_it() -> None:
    after = replaced(("def rate(step):", "def rate(step, floor):"), ("rate(step))", "rate(step, 0.1))"))
    assert len(split(after).edits) == 1
    optional = replaced(("def rate(step):", "def rate(step, floor=0):"), ("rate(step))", "rate(step, floor=0.1))"))
    assert len(split(optional).edits) == 1


def test_lines_that_only_parse_together_are_one_edit() -> None:
    after = "z = 3\na = 1\n"
    assert len(split(f"a = 0\n{after}", f"a = 0\nif a:\n    x = 1\n    y = 2\n{after}").edits) == 1
    wrapped = replaced(("DEPTH = 4", "DEPTH = (\n    4\n    + 1\n)"), ("WARMUP = 10", "WARMUP = 11"))
    assert titles(split(wrapped)) == ["WARMUP 10 → 11", "DEPTH = ("]


def test_layout_and_comments_are_no_edits_but_are_applied_with_their_neighbours() -> None:
    after = replaced(
        ("LR = 0.01", "# slower\nLR = 0.005"), ("def train(steps):\n", 'def train(steps):\n    """Train."""\n')
    )
    change = split(after)
    assert titles(change) == ["LR 0.01 → 0.005"]
    assert change.programs == (BASE, after)


def test_the_same_program_has_no_edits() -> None:
    gate = SourceGate(script_contract(["train.py"]), known=lambda _: None)
    for after in (BASE, f"# a comment\n{BASE}"):
        change = split_change(BASE, after, ["train.py"], gate.read)
        assert change.edits == ()
        assert change.programs[0] == BASE


def test_a_rewritten_program_is_one_edit() -> None:
    after = "WIDTH = 3\n\n\ndef train(steps):\n    return WIDTH * steps\n"
    change = split(after)
    assert len(change.edits) == 1
    assert change.programs == (BASE, after)


def test_files_of_one_genome_are_split_each_by_itself() -> None:
    names = ("train.py", "model.py")
    model = "GAIN = 1\n\n\ndef value(x):\n    return GAIN * x\n"
    train = "from model import value\n\nSTEPS = 3\nprint(value(STEPS))\n"
    before = join({"train.py": train, "model.py": model})
    after = join(
        {
            "train.py": "from model import value, shift\n\nSTEPS = 4\nprint(shift(value(STEPS)))\n",
            "model.py": model.replace("GAIN = 1", "GAIN = 2") + "\n\ndef shift(x):\n    return x + 1\n",
        }
    )
    change = split(after, before, names)
    assert sorted(titles(change)) == ["GAIN 1 → 2", "STEPS 3 → 4", "print(shift(value(STEPS)))"]


def test_edits_are_joined_with_their_neighbours_until_they_fit() -> None:
    constants = "".join(f"NUMBER_{index} = {index}\n" for index in range(10))
    after = "".join(f"NUMBER_{index} = {index + 1}\n" for index in range(10))
    change = split(after, constants)
    assert len(change.edits) == 10
    assert len(change.programs) == 22
    for most, edits in ((22, 10), (21, 9), (20, 9), (8, 3), (7, 2), (4, 2), (3, 1), (2, 1), (1, 1)):
        grouped = change.grouped(most)
        assert len(grouped.edits) == edits
        assert grouped.made(grouped.edits) == after
        sizes = [edit.added for edit in grouped.edits]
        assert sum(sizes) == 10
        assert max(sizes) <= 2 * min(sizes) + 2
    assert change.grouped(7).edits[0].title.startswith("NUMBER_0 0 → 1, NUMBER_1 1 → 2, NUMBER_2 2 → 3 and ")


@pytest.mark.parametrize(
    ("old", "new", "title"),
    [
        ("DEPTH = 4\n", "", "without DEPTH = 4"),
        ("return LR * min", "return 2 * LR * min", "return 2 * LR * min(1, step / WARMUP)"),
        ("DEPTH = 4\n", f"DEPTH = 4\nLONG = {'1' * 100}\n", f"LONG = {'1' * 52}…"),
    ],
)
def test_an_edit_is_called_by_what_it_changes(old: str, new: str, title: str) -> None:
    assert titles(split(replaced((old, new)))) == [title]


def test_names_that_neither_program_defines_do_not_matter() -> None:
    before = textwrap.dedent("""
        from library import *
        import torch

        A = 1
        torch.set(A)
    """)
    assert (
        len(split(before.replace("A = 1", "A = 2").replace("torch.set(A)", "torch.put(unknown, A)"), before).edits) == 2
    )
