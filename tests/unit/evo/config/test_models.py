"""Language models in the configuration: one, or several with their servers, weights and prices."""

from __future__ import annotations

import random
import tomllib
from collections import Counter
from typing import Any

import pytest

from evo.config.config import Config
from evo.config.options import sections_of
from evo.config.reading import overlaid, parse_config
from evo.config.resolution import resolve
from evo.runs.assemble import llm_settings, recorded_operators
from operators.llm import Price
from trainer.errors import ConfigError

SMALL = {"name": "claude-haiku-5-5", "weight": 3.0, "effort": "low"}
LOCAL = {
    "name": "qwen3:8b",
    "provider": "openai",
    "base_url": "http://localhost:11434/v1",
    "price": {"input": 0.0, "output": 0.0},
}
KEYS = {"ANTHROPIC_API_KEY": "sk-of-anthropic", "OPENROUTER_API_KEY": "sk-of-openrouter"}


def config_with(*models: dict[str, Any], **llm: Any) -> Config:
    data = {"llm": {"models": [*models], **llm}, "workers": {"devices": ["cpu"]}}
    return resolve(parse_config(data, "run.toml"), KEYS)


def refusal(*models: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as raised:
        config_with(*models)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_each_model_is_reached_in_its_own_way() -> None:
    router = {"name": "deepseek", "provider": "openai", "base_url": "https://openrouter.ai/api/v1"}
    config = config_with(SMALL, LOCAL, router | {"key_variable": "OPENROUTER_API_KEY"})
    small, local, routed = llm_settings(config, KEYS)
    assert (small.url, small.key, small.effort) == ("https://api.anthropic.com", "sk-of-anthropic", "low")
    assert (local.url, local.api_key, local.known_price) == ("http://localhost:11434/v1", None, Price(0.0, 0.0))
    assert (routed.key, routed.known_price) == ("sk-of-openrouter", None)
    assert all(one.has_stand_ins for one in (small, local, routed))


def test_models_survive_the_file_of_the_run() -> None:
    config = config_with(SMALL, LOCAL)
    assert parse_config(tomllib.loads(config.to_toml())).llm.entries == config.llm.entries


def test_one_model_means_one_entry() -> None:
    config = config_with(model="claude-opus-5-5")
    assert [(one.name, one.provider, one.weight) for one in config.llm.entries] == [("claude-opus-5-5", "anthropic", 1)]


def test_each_model_and_style_is_an_operator_that_has_its_part_of_the_weight() -> None:
    config = config_with(SMALL, LOCAL, styles=["careful", "structure"])
    config = overlaid(config, {"operators": {"weights": {"llm_mutation": 1.0, "llm_crossover": 1.0, "random": 1.0}}})
    choice, rng, draws = recorded_operators(resolve(config, KEYS), "cpu"), random.Random(0), 12_000
    counts = Counter(choice.pick(rng, 2).name for _ in range(draws))
    shares = {name: 3 * count / draws for name, count in counts.items()}
    assert shares == pytest.approx(
        {
            "llm_mutation:careful:claude-haiku-5-5": 0.375,
            "llm_mutation:structure:claude-haiku-5-5": 0.375,
            "llm_mutation:careful:qwen3:8b": 0.125,
            "llm_mutation:structure:qwen3:8b": 0.125,
            "llm_crossover:claude-haiku-5-5": 0.75,
            "llm_crossover:qwen3:8b": 0.25,
            "random": 1.0,
        },
        abs=0.04,
    )


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"claude-opus-5-5": 1.0}, [("claude-opus-5-5", "anthropic", 1.0)]),
        ("claude-opus-5-5", [("claude-opus-5-5", "anthropic", 1.0)]),
        ({"qwen3:8b": 1.0}, [("qwen3:8b", "openai", 1.0)]),
        ({"qwen3:8b": 2.0, "new": 1.0}, [("qwen3:8b", "openai", 2.0), ("new", "anthropic", 1.0)]),
    ],
)
def test_the_flag_chooses_among_the_models_of_the_file_or_names_others(named: Any, expected: Any) -> None:
    chosen = overlaid(config_with(SMALL, LOCAL), sections_of({"model": named}))
    assert [(one.name, one.provider, one.weight) for one in chosen.llm.entries] == expected


def test_a_wrong_weight_of_the_flag_is_named_by_the_flag() -> None:
    with pytest.raises(ConfigError, match=r"^--model was -1.0: "):
        overlaid(Config(), sections_of({"model": {"new": -1.0}}))


def test_wrong_models_are_named() -> None:
    assert "must name each model once" in refusal(SMALL, SMALL)
    assert "did you mean 'weight'?" in refusal(SMALL | {"wieght": 1.0})
    assert "did you mean 'output'?" in refusal(LOCAL | {"price": {"input": 1.0, "outputs": 2.0}})
    assert "greater than 0" in refusal(SMALL | {"weight": 0.0})
    assert "'low'" in refusal(SMALL | {"effort": "little"})
    assert "`llm.models.0.name` is missing" in refusal({"weight": 1.0})
    assert "`llm.models.0.api_key` is not a configuration key: keys of" in refusal(SMALL | {"api_key": "sk"})
    assert "Did you mean http://localhost:11434?" in refusal(LOCAL | {"base_url": "localhost:11434"})


def test_a_key_that_is_not_there_is_named() -> None:
    config = config_with(SMALL | {"key_variable": "MY_KEY"})
    with pytest.raises(ConfigError, match="environment variable MY_KEY"):
        llm_settings(config, KEYS)


def test_a_spending_limit_needs_the_price_of_every_model() -> None:
    config = config_with(SMALL, {"name": "unknown"}, max_cost_usd=5.0)
    with pytest.raises(ConfigError, match="state its price in"):
        llm_settings(config, KEYS)


def test_tournaments_are_larger_with_a_language_model_unless_their_size_is_stated() -> None:
    def size(weights: dict[str, float], **search: int) -> int | None:
        data = {"operators": {"weights": weights}, "search": search, "workers": {"devices": ["cpu"]}}
        return resolve(parse_config(data, "run.toml"), KEYS).search.tournament_size

    assert size({"random": 1.0}) == 2
    assert size({"random": 1.0, "llm_mutation": 1.0}) == 4
    assert size({"random": 1.0, "llm_mutation": 1.0}, tournament_size=3) == 3
