"""What the search relies on, whichever operator it picked. Runs over `operators.registry`."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import product
from typing import NoReturn

import pytest
from operator_requests import SEED, ClosedGate, gate_knowing, proposed, relatives, request_for

from operators import registry
from operators.proposal import NoOffspring, Operator, Request
from operators.registry import Setup
from populations.diversity import normal_form
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES


def _refuse() -> NoReturn:
    raise AssertionError("these operators call no language model")


SETUP = Setup("cpu", LANGUAGE_MODEL_OBJECTIVES["val_bpb"], "trust_region", (), _refuse, _refuse)
OPERATORS = {name: entry for name, entry in registry.OPERATORS.items() if not entry.needs_llm}
SEEDS = (0, 1, 2, "run 1, proposal 7")


@pytest.fixture(params=sorted(OPERATORS))
def operator(request: pytest.FixtureRequest) -> Operator:
    return build(request.param)


def build(name: str) -> Operator:
    (made,) = OPERATORS[name].make(SETUP)
    return made


def fresh_request(operator: Operator, seed: int | str = 0, **changes: object) -> Request:
    parents = relatives()[: operator.arity]
    return request_for(*parents, seed=seed, ancestor=SEED, **changes)


def test_name_is_the_key_of_the_registry(operator: Operator) -> None:
    assert build(operator.name).name == operator.name


def test_arity_is_one_or_two(operator: Operator) -> None:
    assert operator.arity in (1, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_offspring_passed_the_gate_and_is_new(operator: Operator, seed: int | str) -> None:
    request = fresh_request(operator, seed)
    proposal = proposed(operator, request)
    request.gate.check(proposal.source)
    forms = {normal_form(parent.source) for parent in request.parents}
    assert normal_form(proposal.source) not in forms
    assert proposal.operator == operator.name


@pytest.mark.parametrize("seed", SEEDS)
def test_idea_is_one_line_that_says_something(operator: Operator, seed: int | str) -> None:
    idea = proposed(operator, fresh_request(operator, seed)).idea
    assert idea.strip()
    assert len(idea.splitlines()) == 1


def test_same_request_gives_the_same_proposal(operator: Operator) -> None:
    assert proposed(operator, fresh_request(operator)) == proposed(operator, fresh_request(operator))


def test_one_instance_keeps_no_memory_between_requests(operator: Operator) -> None:
    first = proposed(operator, fresh_request(operator))
    proposed(operator, fresh_request(operator, seed=1))
    assert proposed(operator, fresh_request(operator)) == first


def test_seeds_lead_to_different_offspring(operator: Operator) -> None:
    assert len({proposed(operator, fresh_request(operator, seed)).source for seed in range(12)}) > 1


def test_gives_up_when_the_gate_refuses_everything(operator: Operator) -> None:
    with pytest.raises(NoOffspring, match="the gate is closed"):
        proposed(operator, fresh_request(operator, gate=ClosedGate()))


def test_avoids_what_the_gate_already_knows(operator: Operator) -> None:
    known = proposed(operator, fresh_request(operator)).source
    proposal = proposed(operator, fresh_request(operator, gate=gate_knowing(*relatives(), known)))
    assert normal_form(proposal.source) != normal_form(known)


def test_global_randomness_is_left_alone(operator: Operator) -> None:
    random.seed(5)
    before = random.getstate()
    proposed(operator, fresh_request(operator))
    assert random.getstate() == before


def test_parents_without_a_differing_place_give_no_loop(operator: Operator) -> None:
    bare = "def build_model(task): pass\ndef train(model, task): pass\n"
    with pytest.raises(NoOffspring):
        proposed(operator, request_for(*[bare] * operator.arity, ancestor=bare))


def reproduced() -> str:
    cases = product(sorted(OPERATORS), SEEDS[:3])
    made = [proposed(build(name), fresh_request(build(name), seed)) for name, seed in cases]
    return "".join(f"{one.idea}\n{one.source}" for one in made)


def test_proposals_do_not_depend_on_hash_randomisation(request: pytest.FixtureRequest) -> None:
    tests = request.path.parent.parent
    there = subprocess.run(
        [sys.executable, "-c", "import sys, test_operator_contract as own; sys.stdout.write(own.reproduced())"],
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": f"{tests / 'contract'}:{tests / 'support'}", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
        cwd=tests.parent,
    ).stdout
    assert there == reproduced()
    assert there.count("def build_model") == 3 * len(OPERATORS)
