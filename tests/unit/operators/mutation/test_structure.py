from __future__ import annotations

import pytest
from operator_requests import SEED, SMALL, proposed, request_for

from operators.mutation.mixed import RandomMutation
from operators.mutation.structure import EDITS, StructureMutation
from operators.mutation.syntax import Syntax


def children(edit: str, source: str) -> set[str]:
    """Return the lines that the edit's children have instead of the parent's, one text per child."""
    syntax = Syntax(source)
    results = {syntax.replaced(change.old, change.new) for change in EDITS[edit](syntax)}
    return {result for result in results if result != source}


def within(statement: str) -> str:
    return f"def f(self, x, y):\n    {statement}  # why\n    return x\n"


def edited(edit: str, statement: str) -> set[str]:
    marks = ("def f(self, x, y):\n    ", "  # why\n    return x\n")
    return {child.removeprefix(marks[0]).removesuffix(marks[1]) for child in children(edit, within(statement))}


@pytest.mark.parametrize(
    ("edit", "statement", "some"),
    [
        ("swap an activation function", "x = F.relu(x)", {"x = F.gelu(x)", "x = F.silu(x)", "x = F.relu(x).square()"}),
        ("swap an activation function", "x = F.relu(x).square()", {"x = F.gelu(x)", "x = F.relu(x)"}),
        ("swap an activation function", "x = F.relu(x) ** 2", {"x = F.gelu(x)", "x = F.relu(x)"}),
        ("swap an activation function", "x = torch.tanh(x)", {"x = torch.relu(x)", "x = torch.sigmoid(x)"}),
        ("swap an activation function", 'x = F.gelu(x, approximate="tanh")', {"x = F.silu(x)"}),
        ("swap an activation module", "self.act = nn.GELU()", {"self.act = nn.ReLU()", "self.act = nn.SiLU()"}),
        ("swap a norm", "self.n = nn.LayerNorm(x, bias=False)", {"self.n = nn.RMSNorm(x)"}),
        ("swap a norm", "x = F.rms_norm(x, (y,))", {"x = F.layer_norm(x, (y,))"}),
        ("swap an arithmetic operator", "x = x  +  y", {"x = x  -  y", "x = x  *  y"}),
        ("swap a comparison", "x = x < y", {"x = x <= y", "x = x > y"}),
        ("scale a number", "x = x * 0.5", {"x = x * 1.0", "x = x * 0.25"}),
        ("scale a number", "x = x * 0.9", {"x = x * 0.95", "x = x * 0.8"}),
        ("scale a number", "x = g(4)", {"x = g(2)", "x = g(3)", "x = g(5)", "x = g(8)"}),
        ("flip a boolean", "x = g(bias=False)", {"x = g(bias=True)"}),
        ("drop a keyword argument", "x = g(y, a=1, b=2)", {"x = g(y, b=2)", "x = g(y, a=1)"}),
        ("swap two arguments", "x = g(x, y)", {"x = g(y, x)"}),
        ("swap two operands", "x = x - y", {"x = y - x"}),
        ("swap two operands", "x = x - y - 1", {"x = 1 - (x - y)", "x = y - x - 1"}),
        ("swap an optimizer", "o = torch.optim.AdamW(x, lr=y, fused=True)", {"o = torch.optim.NAdam(x, lr=y)"}),
        ("swap an optimizer", "o = optim.SGD(x, lr=y, nesterov=True)", {"o = optim.RMSprop(x, lr=y)"}),
        ("toggle a residual", "x = self.mlp(x)", {"x = x + self.mlp(x)"}),
        ("toggle a residual", "x = x + self.mlp(x)", {"x = self.mlp(x)"}),
        ("bend a schedule", "y = 1.0 - progress", {"y = (1.0 - progress ** 2)", "y = ((1.0 - progress) ** 2)"}),
        ("duplicate a statement", "x = g(x)", {"x = g(x)  # why\n    x = g(x)"}),
        ("delete a statement", "x += 1", {""}),
    ],
)
def test_edit_makes(edit: str, statement: str, some: set[str]) -> None:
    found = edited(edit, statement)
    if some == {""}:
        assert children(edit, within(statement)) == {"def f(self, x, y):\n    return x\n"}
    else:
        assert some <= found


@pytest.mark.parametrize(
    ("edit", "statement"),
    [
        ("scale a number", "x = x[1]"),
        ("scale a number", "x = x.sum(dim=1)"),
        ("scale a number", "x = x.sum(-1)"),
        ("flip a boolean", "while True: x = g()"),
        ("swap two arguments", "x = max(x, y)"),
        ("swap an arithmetic operator", "x = 'a' + y"),
        ("swap an optimizer", "o = torch.optim.LBFGS(x)"),
        ("swap an activation function", "x = g.relu(x)"),
        ("toggle a residual", "x = g(y)"),
        ("bend a schedule", "y = 1.0 - MOMENTUM"),
        ("delete a statement", "z = g(x)"),
        ("delete a statement", "self.only = g(x)"),
        ("delete a statement", "super().__init__()"),
        ("delete a statement", "import math"),
        ("duplicate a statement", "x = 3"),
    ],
)
def test_edit_leaves_alone(edit: str, statement: str) -> None:
    assert children(edit, within(statement)) == set()


def test_cosine_schedules_need_the_math_module() -> None:
    assert any("math.cos(math.pi * progress)" in child for child in children("bend a schedule", SMALL))
    without = SMALL.replace("import math\n", "")
    assert not any("math.cos" in child for child in children("bend a schedule", without))


def test_deleting_the_only_statement_leaves_pass() -> None:
    source = "def f(x):\n    if x:\n        # why\n        x += 1\n    return x\n"
    assert "def f(x):\n    if x:\n        pass\n    return x\n" in children("delete a statement", source)


def test_statements_swap_with_their_comments() -> None:
    source = "def f(x):\n    # first\n    x.a()  # a\n\n    # second\n    x.b()  # b\n    return x\n"
    swapped = "def f(x):\n\n    # second\n    x.b()  # b\n    # first\n    x.a()  # a\n    return x\n"
    assert children("swap two statements", source) == {swapped}


def test_statements_do_not_swap_over_a_binding() -> None:
    assert children("swap two statements", "def f(x):\n    y = g(x)\n    h(y)\n    return x\n") == set()


def test_docstrings_returns_and_definitions_stay() -> None:
    source = 'class A:\n    """Doc."""\n\n    def f(self):\n        """Doc."""\n        return 1\n'
    for edit in ("delete a statement", "duplicate a statement", "swap two statements"):
        assert children(edit, source) == set()


def test_every_edit_of_the_seed_genome_parses_and_shows_its_place() -> None:
    syntax = Syntax(SEED)
    fitting = 0
    for name, edit in EDITS.items():
        changes = list(edit(syntax))
        fitting += bool(changes)
        for change in changes[:: max(1, len(changes) // 5)]:
            compile(syntax.replaced(change.old, change.new), name, "exec", dont_inherit=True)
    assert fitting >= 12


@pytest.mark.parametrize("seed", range(8))
def test_idea_gives_the_line_that_changed(seed: int) -> None:
    proposal = proposed(StructureMutation(), request_for(SMALL, seed=seed))
    kind, line, _ = proposal.idea.split(": ", 2)
    assert kind == "structure"
    index = int(line.removeprefix("line ")) - 1
    before, after = SMALL.split("\n"), proposal.source.split("\n")
    assert before[:index] == after[:index]
    assert before[index] != after[index]


def test_long_code_is_shortened_around_the_difference() -> None:
    call = "g(" + ", ".join(f"argument_{index}={index}" for index in range(30)) + ")"
    source = f"def build_model(task):\n    return {call}\ndef train(model, task): pass\n"
    idea = proposed(StructureMutation(), request_for(source)).idea
    assert "…" in idea or len(idea) < 200
    assert len(idea) < 300


def test_random_mutation_mixes_both() -> None:
    ideas = [proposed(RandomMutation(), request_for(SMALL, seed=seed)).idea for seed in range(20)]
    assert {idea.partition(":")[0] for idea in ideas} == {"constants", "structure"}


def test_random_mutation_does_the_one_that_can_be_done() -> None:
    source = "RATE = 0.1\ndef build_model(task): pass\ndef train(model, task): pass\n"
    for seed in range(5):
        assert proposed(RandomMutation(), request_for(source, seed=seed)).idea.startswith("constants: RATE")


def test_comprehensions_bind_nothing_outside_themselves() -> None:
    source = "def f(x):\n    q = [y for y in x]\n    y = g(x)\n    return q, y\n"
    assert "def f(x):\n    q = [y for y in x]\n    return q, y\n" not in children("delete a statement", source)
