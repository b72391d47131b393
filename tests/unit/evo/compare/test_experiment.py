from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evo.compare.arms import arm_config
from evo.compare.collecting import Definition
from evo.compare.cost import CHILD, experiment_cost
from evo.compare.experiment import Experiment, load_experiment, parse_experiment
from evo.compare.methods import METHODS
from evo.compare.preparation import define
from evo.compare.running import GENERATION_ZERO, schedule
from evo.config.config import Config
from evo.standings.plan import make_plan
from operators.llm.prices import cost_usd, price_of
from trainer.errors import ConfigError

EXPERIMENTS = Path(__file__).parents[4] / "experiments"

SCRIPT = {
    "kind": "script",
    "root": "/project",
    "genome": "run.py",
    "command": "python run.py",
    "objectives": {"score": {"direction": "maximize", "pattern": r"^score: (\S+)"}},
}


def experiment(arms: list[dict[str, Any]] | None = None, **changes: Any) -> Experiment:
    arms = arms or [{"name": "a", "method": "random_search"}, {"name": "b", "method": "random_mutation"}]
    base = {"workers": {"devices": ["cpu"], "count": 2}}
    whole = {"name": "test", "repeats": 4, "budget": {"evaluations": 64}, "base": base, "arms": arms}
    return parse_experiment(whole | changes, "e.toml")


def config(made: Experiment, arm: int = 0, repeat: int = 0) -> Config:
    return arm_config(made, made.arms[arm], made.seed_of(arm, repeat), "e.toml")


# The file


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"repeat": 3}, "`repeat` is not a configuration key; did you mean 'repeats'?"),
        ({"repeats": 0}, "`repeats` was 0"),
        ({"name": "a/b"}, "`name` must be a name of letters"),
        ({"budget": {}}, "`budget` must name one of evaluations, gpu_seconds and usd, but it names none"),
        ({"budget": {"evaluations": 64, "usd": 1.0}}, "it names evaluations and usd"),
        ({"budget": {"evaluation": 64}}, "`budget.evaluation` is not a configuration key; did you mean 'evaluations'?"),
        ({"outcome": {"seeds": 101}}, "`outcome.seeds` was 101"),
        ({"outcome": {"seed": 1}}, "did you mean 'seeds'?"),
        ({"seeds": [1, 2, 3]}, "`seeds` must be at least 4 different numbers, one a repeat"),
        ({"seeds": [1, 2, 3, 3]}, "`seeds` must be at least 4 different numbers"),
        ({"paired": False, "seeds": [1, 2, 3, 4]}, "`seeds` must be at least 8 different numbers, one a run"),
        ({"arms": [{"name": "a"}]}, "`arms` was"),
        ({"arms": [{"name": "a"}, {"name": "a"}]}, "'a' is there twice"),
        ({"arms": [{"name": "a"}, {"name": "b", "method": "random_serch"}]}, "did you mean 'random_search'?"),
        ({"arms": [{"name": "a"}, {"name": "b", "serch": {}}]}, "did you mean 'search'?"),
        ({"arms": [{"name": "a"}, {"name": "b", "search": 3}]}, "`arms.1.search` was 3"),
        ({"arms": [{"name": "a"}, {"name": "b", "task": {}}]}, "`arms.1.task` decides how individuals are measured"),
        ({"arms": [{"name": "a"}, {"name": "b", "budget": {}}]}, "belongs into [base]"),
    ],
)
def test_a_wrong_file_is_refused_in_a_line(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        experiment(**changes)
    assert words in str(refusal.value)
    assert str(refusal.value).startswith("e.toml")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"search": {"popp": 3}}, "e.toml, arm b: `search.popp` is not a configuration key; did you mean 'pop'?"),
        ({"search": {"seed": 3}}, "`search.seed` is the experiment's to set"),
        ({"search": {"gens": 3}}, "`search.gens` is the experiment's to set"),
        ({"search": {"target": 3.0}}, "`search.target` is the experiment's to set"),
        ({"search": {"pop": 24}}, "64 is no multiple of its population of 24; 72 is one"),
    ],
)
def test_a_wrong_arm_is_refused_by_its_name(sections: dict[str, Any], words: str) -> None:
    made = experiment([{"name": "a"}, {"name": "b", **sections}])
    with pytest.raises(ConfigError) as refusal:
        config(made, arm=1)
    assert words in str(refusal.value)


def test_no_file_and_no_toml_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read: No such file"):
        load_experiment(tmp_path / "none.toml")
    (tmp_path / "e.toml").write_text("name = \n")
    with pytest.raises(ConfigError, match="must be a TOML file"):
        load_experiment(tmp_path / "e.toml")


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_text(
        'name = "e"\nrepeats = 2\nbudget.evaluations = 16\nbase.task = {kind = "script", root = "project"}\n'
        '[[arms]]\nname = "a"\n[[arms]]\nname = "b"\nllm.program = "program.md"\n'
    )
    made = load_experiment(tmp_path / "e.toml")
    assert made.base["task"]["root"] == str(tmp_path / "project")
    assert made.arms[1].sections["llm"]["program"] == str(tmp_path / "program.md")


def test_objectives_must_be_shared(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_text(
        'name = "e"\nrepeats = 2\nbudget.evaluations = 16\n[[arms]]\nname = "a"\nmethod = "random_search"\n'
        '[[arms]]\nname = "b"\nmethod = "random_search"\nsearch.objectives = ["tokens_per_second"]\n'
    )
    with pytest.raises(ConfigError, match=r"arm b: `search\.objectives` must be the same for all arms"):
        define(tmp_path / "e.toml")


# Arms, seeds, budgets


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_a_configuration_of_the_search(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    made = config(experiment([{"name": "a", "method": method}, {"name": "b", "method": "random_search"}]))
    plan = make_plan(made)
    assert plan.evaluations == 64
    assert (made.search.parents == "generation_zero") == (
        method in ("llm_independent", "random_search", "random_constants", "tpe", "cma_es")
    )
    asks = any(name.startswith("llm_") for name in made.operators.weights or {})
    assert asks == (method.startswith("llm_") or method == "hybrid")
    assert (plan.mu == 1) == (method == "llm_greedy")


def test_sections_of_an_arm_go_before_its_method_and_that_before_the_base() -> None:
    base = {"search": {"pop": 8, "tournament_size": 3}, "operators": {"weights": {"merge": 1.0}}}
    arms = [{"name": "a", "method": "random_mutation", "search": {"pop": 4}}, {"name": "b", "method": "random_search"}]
    made = config(experiment(arms, base=base))
    assert (made.search.pop, made.search.gens, made.search.tournament_size) == (4, 16, 3)
    assert made.operators.weights == {"random": 1.0}


def test_pairs_share_their_seed_and_others_share_none() -> None:
    paired, other = experiment(first_seed=5), experiment(first_seed=5, paired=False)
    assert [[paired.seed_of(arm, repeat) for arm in (0, 1)] for repeat in range(4)] == [[5 + n] * 2 for n in range(4)]
    assert sorted(other.seed_of(arm, repeat) for arm in (0, 1) for repeat in range(4)) == [*range(5, 13)]
    assert experiment(seeds=[9, 7, 8, 3]).seed_of(1, 2) == 8


@pytest.mark.parametrize(
    ("budget", "limits"),
    [({"gpu_seconds": 7200.0}, (2.0, None)), ({"usd": 40.0}, (None, 40.0))],
)
def test_a_budget_of_time_or_money_ends_a_run_before_its_evaluations_do(
    budget: dict[str, float], limits: tuple[float | None, float | None]
) -> None:
    made = config(experiment(budget={**budget, "evaluation_seconds": 30.0}))
    paid = 7200 / 30 if "gpu_seconds" in budget else 40 / (30 / 3600 * 2.0)
    assert (made.search.max_gpu_hours, made.search.max_usd) == limits
    plan = make_plan(made)
    assert plan.evaluations > 3 * paid
    assert 0.07 * paid < plan.confirmations < 0.09 * paid


def test_a_script_has_to_say_how_long_it_takes_where_time_is_the_budget() -> None:
    made = experiment(budget={"gpu_seconds": 100.0}, base={"task": SCRIPT, "workers": {"devices": ["cpu"]}})
    with pytest.raises(ConfigError, match=r"budget\.evaluation_seconds` is missing"):
        config(made)


# The order, the estimate


def test_blocks_follow_each_other_and_hold_every_arm_in_an_order_of_their_own() -> None:
    made = experiment([{"name": name, "method": "random_search"} for name in "abcd"], repeats=12)
    runs = schedule(made)
    blocks = [runs[start : start + 5] for start in range(0, len(runs), 5)]
    for repeat, block in enumerate(blocks):
        assert {run.repeat for run in block} == {repeat}
        assert {run.arm for run in block} == {GENERATION_ZERO, 0, 1, 2, 3}
    assert len({block[0].arm for block in blocks}) >= 4
    assert schedule(made) == runs


def test_an_estimate_adds_up() -> None:
    arms = [{"name": "model", "method": "llm_evolution"}, {"name": "random", "method": "random_mutation"}]
    base = {"workers": {"devices": ["cpu"], "count": 2}, "llm": {"base_url": "http://localhost:1"}}
    made = experiment(arms, base=base, budget={"evaluations": 64, "evaluation_seconds": 36.0})
    found = experiment_cost(Definition(made, [config(made, 0), config(made, 1)], ""))
    model, random, zero = found.arms
    assert (model.runs, model.evaluations, model.judging, zero.judging) == (4, 256, 12, 12)
    assert model.gpu_hours == pytest.approx((256 + 12) * 36 / 3600)
    child = cost_usd(CHILD, price_of("claude-sonnet-5-5"), "5m")
    assert child == pytest.approx(0.08, abs=0.005)
    assert model.llm_usd == pytest.approx(4 * (64 - 3) * child)
    assert (random.llm_usd, zero.llm_usd) == (0.0, 0.0)
    total = found.total()
    assert total.gpu_hours == pytest.approx(sum(one.gpu_hours for one in found.arms))
    assert total.gpu_hours / 2 <= found.wall_hours < total.gpu_hours / 2 + model.run_hours


def test_a_loop_that_waits_for_its_model_takes_longer_and_an_unknown_price_is_no_price() -> None:
    base = {"workers": {"devices": ["cpu"]}, "llm": {"base_url": "http://localhost:1", "model": "mine"}}
    arms = [{"name": "greedy", "method": "llm_greedy"}, {"name": "evolution", "method": "llm_evolution"}]
    made = experiment(arms, base=base)
    found = experiment_cost(Definition(made, [config(made, 0), config(made, 1)], ""))
    greedy, evolution, _ = found.arms
    assert greedy.run_hours > 1.5 * evolution.run_hours
    assert greedy.gpu_hours == evolution.gpu_hours
    assert greedy.llm_usd is None
    assert found.total().llm_usd is None


@pytest.mark.parametrize("path", [*sorted(EXPERIMENTS.glob("compare/*.toml")), EXPERIMENTS / "llm_vs_random.toml"])
def test_the_shipped_experiments_are_sound(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    definition = define(path)
    assert definition.experiment.paired
    assert definition.experiment.repeats >= 2
    assert experiment_cost(definition).wall_hours > 0
