from __future__ import annotations

import pytest
from operator_requests import SEED, ClosedGate, proposed, relatives, request_for

from operators.crossover.merge import MergeCrossover
from operators.crossover.uniform import UniformCrossover
from operators.proposal import NoOffspring, Proposal

ANCESTOR = """import math

A = 1
B = 2


def build_model(task):
    return A


def train(model, task):
    # why
    return B
"""
FIRST = ANCESTOR.replace("A = 1\n", "A = 10\n").replace("return B", "return B + 1")
SECOND = ANCESTOR.replace("return A", "return A + 2")
RIVAL = ANCESTOR.replace("A = 1\n", "A = 11\n").replace("return A", "return A + 2")


def merged(*parents: str, seed: int = 0, ancestor: str | None = ANCESTOR) -> Proposal:
    return proposed(MergeCrossover(), request_for(*parents, seed=seed, ancestor=ancestor))


def mixed(*parents: str, seed: int = 0) -> Proposal:
    return proposed(UniformCrossover(), request_for(*parents, seed=seed))


def test_merge_unites_the_changes_of_both() -> None:
    proposal = merged(FIRST, SECOND)
    assert proposal.source == FIRST.replace("return A", "return A + 2")
    assert proposal.idea == "merge: 2 hunks from 1 and 1 hunk from 2"


def test_merge_settles_conflicts_either_way() -> None:
    children = {merged(FIRST, RIVAL, seed=seed) for seed in range(10)}
    assert {("A = 10" in child.source) + 2 * ("A = 11" in child.source) for child in children} == {1, 2}
    assert all("1 conflict settled by chance" in child.idea for child in children)
    assert all("B + 1" in child.source and "A + 2" in child.source for child in children)


def test_merge_leaves_no_conflict_markers() -> None:
    assert not any(mark in merged(FIRST, RIVAL).source for mark in ("<<<<", "====", ">>>>"))


@pytest.mark.parametrize("parents", [(ANCESTOR, SECOND), (SECOND, ANCESTOR), (ANCESTOR + "# note\n", SECOND)])
def test_merge_with_the_ancestor_itself(parents: tuple[str, str]) -> None:
    with pytest.raises(NoOffspring, match="is the common ancestor"):
        merged(*parents)


def test_merge_of_equal_parents() -> None:
    with pytest.raises(NoOffspring, match="same program as its parent 1"):
        merged(SECOND, SECOND + "# note\n")


def test_merge_where_one_parent_contains_the_other() -> None:
    both = FIRST.replace("return A", "return A + 2")
    with pytest.raises(NoOffspring, match="same program as its parent"):
        merged(both, SECOND)


def test_merge_without_an_ancestor() -> None:
    with pytest.raises(NoOffspring, match="no common ancestor"):
        merged(FIRST, SECOND, ancestor=None)


def test_merge_of_relatives_of_the_seed_genome() -> None:
    first, second = relatives()
    child = merged(first, second, ancestor=SEED).source
    assert "F.gelu(self.up(rms_norm(x)))" in child
    assert "rise**2" in child


def test_merge_gives_up_after_trying_the_other_side() -> None:
    request = request_for(FIRST, RIVAL, ancestor=ANCESTOR, gate=ClosedGate())
    with pytest.raises(NoOffspring, match=r"hunks? from 1.*hunks? from 1"):
        proposed(MergeCrossover(), request)


BASE = '''"""Base."""

import torch

# Size
WIDTH = 64  # channels
LR = 0.1


def build_model(task):
    """Base."""
    return torch.nn.Linear(WIDTH, 1)


def train(model, task):
    # base
    return LR
'''
OTHER = """import math
import torch.nn.functional as F
from torch import nn

LR = 3e-1
WIDTH = 32
SLOPE = 0.2
SCALE = math.sqrt(2)


@torch.no_grad()
def helper(x):
    return F.relu(x) * SCALE


def unused(x):
    return x


def train(model, task):
    return helper(LR) * SLOPE  # other


class Net(nn.Module):
    pass


def build_model(task):
    return Net()
"""


def mixtures() -> list[Proposal]:
    return [mixed(BASE, OTHER, seed=seed) for seed in range(40)]


def test_uniform_takes_constants_and_definitions_from_either() -> None:
    sources = [proposal.source for proposal in mixtures()]
    for mark in ("WIDTH = 64", "WIDTH = 32", "LR = 0.1", "LR = 3e-1", "# base", "# other", "Net()", "torch.nn.Linear"):
        assert 0 < sum(mark in source for source in sources) < len(sources), mark


def test_uniform_keeps_order_and_comments_of_the_base() -> None:
    for source in (proposal.source for proposal in mixtures() if proposal.idea.startswith("uniform: 1 ")):
        assert source.startswith('"""Base."""\n')
        assert "# Size\nWIDTH = " in source
        assert "  # channels\n" in source
        assert source.index("WIDTH") < source.index("LR") < source.index("def build_model") < source.index("def train")


def test_uniform_brings_what_the_taken_needs_and_nothing_else() -> None:
    seen = 0
    for proposal in mixtures():
        if proposal.idea.startswith("uniform: 1 ") and "# other" in proposal.source:
            seen += 1
            source = proposal.source
            imports = ("import math\n", "import torch.nn.functional as F\n")
            companions = ("SLOPE = 0.2\n", "SCALE = ", "@torch.no_grad()\ndef helper")
            places = [source.index(text) for text in (*imports, *companions)]
            assert places == sorted(places)
            assert places[-1] < source.index("def train")
            assert "unused" not in source
            assert "which need" in proposal.idea
    assert seen


def test_uniform_children_define_what_they_read() -> None:
    for proposal in mixtures():
        if "return Net()" in proposal.source:
            assert proposal.source.index("from torch import nn") < proposal.source.index("class Net(nn.Module)")


def test_uniform_idea_names_parents_and_parts() -> None:
    for proposal in mixtures():
        base, other = ("1", "2") if proposal.idea.startswith("uniform: 1 with `") else ("2", "1")
        assert proposal.idea.startswith(f"uniform: {base} with `")
        assert f" of {other}" in proposal.idea


def test_uniform_without_shared_parts() -> None:
    parents = [f"def build_model(task): pass\ndef train(model, task): pass\ndef {name}(): pass\n" for name in "ab"]
    with pytest.raises(NoOffspring, match="share no definition or constant"):
        mixed(*parents)


def test_uniform_with_one_difference_could_only_repeat_a_parent() -> None:
    with pytest.raises(NoOffspring, match="same program as its parent"):
        mixed(ANCESTOR, SECOND)
