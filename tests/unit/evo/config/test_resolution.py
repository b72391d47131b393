"""What a configuration leaves open, filled in from the environment and the device."""

from __future__ import annotations

import random
import tomllib
from collections import Counter
from typing import Any

import pytest

from evo.config.config import Config
from evo.config.reading import overlaid, parse_as, parse_config
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig, StoredConfig
from evo.runs.assemble import build_operators
from operators.prompt_styles import STYLES
from operators.registry import default_weights
from trainer.errors import ConfigError
from trainer.machine import devices
from trainer.machine.devices import Device

KEY = {"ANTHROPIC_API_KEY": "sk-ant-secret"}
SERVER = {"ANTHROPIC_BASE_URL": "http://localhost:8080"}


def configured(**sections: Any) -> Config:
    return parse_config({"workers": {"devices": ["cpu"]}, **sections}, "test")


@pytest.mark.parametrize("environment", [{}, {"ANTHROPIC_API_KEY": ""}, {"ANTHROPIC_API_KEY": "  "}])
def test_without_a_key_or_a_server_the_operators_are_classical(environment: dict[str, str]) -> None:
    config = resolve(configured(), environment)
    assert config.operators.weights == default_weights(with_llm=False)
    assert not config.uses_language_model


@pytest.mark.parametrize("environment", [KEY, SERVER, {**KEY, **SERVER}])
def test_a_key_or_a_server_brings_the_language_model(environment: dict[str, str]) -> None:
    config = resolve(configured(), environment)
    assert config.operators.weights == default_weights(with_llm=True)
    assert config.uses_language_model
    assert config.llm.base_url == environment.get("ANTHROPIC_BASE_URL")


@pytest.mark.parametrize("environment", [KEY, SERVER, {**KEY, **SERVER}])
def test_nothing_secret_is_stored(environment: dict[str, str]) -> None:
    assert "secret" not in resolve(configured(), environment).to_toml()


def test_an_address_is_kept_only_by_those_who_call_it() -> None:
    classical = configured(operators={"weights": {"random": 1.0}})
    assert resolve(classical, {**SERVER, **KEY}).llm.base_url is None


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hunter2@localhost:8080",
        "https://hunter2@example.org",
        "https://example.org/?api_key=hunter2",
        "https://example.org/#hunter2",
        "http://me:hunter2@localhost:8080/v1",
        "me:hunter2@localhost:8080",
    ],
)
@pytest.mark.parametrize("is_from_environment", [True, False])
def test_an_address_with_a_secret_is_refused_without_repeating_it(url: str, is_from_environment: bool) -> None:
    environment = {"ANTHROPIC_BASE_URL": url} if is_from_environment else {}
    llm = {} if is_from_environment else {"base_url": url}
    with pytest.raises(ConfigError) as refusal:
        resolve(configured(llm=llm), environment)
    assert "hunter2" not in str(refusal.value)
    assert "ANTHROPIC_API_KEY" in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("   ", "empty"),
        ("http://localhost:8080/v1", "Did you mean http://localhost:8080?"),
        ("http://localhost:8080/v1/messages", "Did you mean http://localhost:8080?"),
        ("localhost:8080", "http://localhost:8080?"),
        ("ftp://localhost", "http:// or https://"),
        ("http://[::1", "no URL"),
    ],
)
def test_an_address_that_cannot_work_is_refused(url: str, words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        resolve(configured(), {"ANTHROPIC_BASE_URL": url})
    assert words in str(refusal.value)


def test_an_empty_variable_names_no_server() -> None:
    assert resolve(configured(), {"ANTHROPIC_BASE_URL": ""}).llm.base_url is None


def test_resolving_twice_changes_nothing() -> None:
    once = resolve(configured(), SERVER)
    assert resolve(once, {}) == once
    assert resolve(overlaid(once, {}), {}) == once


def test_the_cpu_gets_one_worker_with_one_thread_and_its_own_clock() -> None:
    config = resolve(configured(), {})
    assert (config.workers.count, config.workers.devices, config.workers.threads) == (1, ("cpu",), 1)
    assert config.budget.clock == "cpu"
    assert config.budget.train_seconds == 30.0


def test_workers_share_the_memory() -> None:
    one = resolve(configured(), {}).workers.memory_mib
    many = resolve(configured(workers={"devices": ["cpu"], "count": 64}), {}).workers.memory_mib
    assert 0 < many < one


def test_what_is_configured_stays() -> None:
    given = configured(
        budget={"train_seconds": 5.0, "clock": "wall"},
        task={"sequence_length": 32, "score_tokens": 640},
        workers={"devices": ["cpu"], "count": 3, "threads": 2, "memory_mib": 700.0},
    )
    config = resolve(given, {})
    for section in ("budget", "task", "workers"):
        assert getattr(config, section).model_dump() == getattr(given, section).model_dump()


def test_a_resolved_configuration_has_the_device_of_every_worker_and_stores_none_of_them() -> None:
    config = resolve(configured(workers={"devices": ["cpu"], "count": 3}), {})
    assert [device.kind for device in config.devices] == ["cpu"] * 3
    assert config.device_kind == "cpu"
    assert "devices" not in tomllib.loads(config.to_toml())


def test_a_stored_configuration_reads_where_its_devices_are_absent() -> None:
    text = resolve(configured(), {}).to_toml().replace('"cpu",', '"GPU-of-another-machine",')
    stored = parse_as(StoredConfig, tomllib.loads(text), "config.toml")
    assert stored.workers.devices == ("GPU-of-another-machine",)
    assert stored.budget.train_seconds == 30.0
    with pytest.raises(ConfigError, match="--devices"):
        resolve(stored, {})


@pytest.mark.parametrize("key", ["budget.train_seconds", "task.score_tokens", "operators.weights"])
def test_a_stored_configuration_has_nothing_left_to_the_device(key: str) -> None:
    data = tomllib.loads(resolve(configured(), {}).to_toml())
    section, name = key.split(".")
    del data[section][name]
    with pytest.raises(ConfigError, match=f"`{key}` is missing"):
        parse_as(StoredConfig, data, "config.toml")


def test_an_absent_device_is_refused() -> None:
    with pytest.raises(ConfigError, match="--devices"):
        resolve(configured(workers={"devices": ["GPU-does-not-exist"]}), {})


def test_an_unknown_operator_is_refused_with_what_may_have_been_meant() -> None:
    with pytest.raises(ConfigError, match=r"`operators.weights` 'mrege' is no operator; did you mean 'merge'"):
        parse_config({"operators": {"weights": {"mrege": 1.0}}}, "evo.toml")
    with pytest.raises(ConfigError, match="--operators 'gradient' is no operator; expected one of llm_mutation, "):
        parse_config({"operators": {"weights": {"gradient": 1.0}}})


def test_mutations_share_their_weight_among_the_prompt_styles() -> None:
    def styled(**llm: object) -> ResolvedConfig:
        weights = {"llm_mutation": 3, "llm_crossover": 1, "random": 1}
        return resolve(parse_config({"operators": {"weights": weights}, "llm": llm}), SERVER)

    assert styled().llm.styles == STYLES
    assert parse_config({}).llm.styles == ()
    choice = build_operators(styled(styles=["simplify", "careful"]))
    drawn = Counter(choice.pick(random.Random(seed), 2).name for seed in range(500))
    assert set(drawn) == {"llm_mutation:simplify", "llm_mutation:careful", "llm_crossover", "random"}
    assert all(110 < drawn[f"llm_mutation:{style}"] < 190 for style in ("simplify", "careful"))
    for wrong in (["bold"], ["careful", "careful"]):
        with pytest.raises(ConfigError, match=r"`llm.styles` must name styles among careful, structure, .* was \["):
            parse_config({"llm": {"styles": wrong}}, "evo.toml")


def test_slots_share_each_gpu_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = [Device("cuda", f"GPU-{number}", name) for number, name in enumerate(("H200", "H200", "A100"))]
    monkeypatch.setattr(devices, "discover", lambda: gpus)
    shared = resolve(parse_config({"workers": {"slots_per_gpu": 2}}, "test"), {})
    assert [one.id for one in shared.devices] == ["GPU-0", "GPU-1", "GPU-2"] * 2
    assert shared.workers.count == 6
    counted = resolve(parse_config({"workers": {"slots_per_gpu": 2, "count": 4}}, "test"), {})
    assert [one.id for one in counted.devices] == ["GPU-0", "GPU-1", "GPU-2", "GPU-0"]
    assert len(resolve(configured(workers={"devices": ["cpu"], "slots_per_gpu": 2}), {}).devices) == 1


SCRIPT_TASK: dict[str, Any] = {
    "root": "/p",
    "kind": "script",
    "genome": "train.py",
    "command": "python train.py",
    "objectives": {"loss": {"direction": "minimize", "pattern": "loss: (.*)"}},
}
SMOKE_TASK = {**SCRIPT_TASK, "smoke": "python train.py --steps 2"}


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({}, False),  # 30 s on the CPU
        ({"budget": {"train_seconds": 60.0}}, True),
        ({"budget": {"train_seconds": 59.0}}, False),
        ({"budget": {"train_seconds": 60.0}, "search": {"smoke": False}}, False),
        ({"search": {"smoke": True}}, True),
        ({"task": SCRIPT_TASK}, False),
        ({"task": SMOKE_TASK}, True),
        ({"task": SMOKE_TASK, "search": {"smoke": False}}, False),
    ],
)
def test_smoke_runs_are_made_where_they_cost_little_or_are_asked_for(sections: dict[str, Any], expected: bool) -> None:
    config = resolve(configured(**sections), {})
    assert config.search.smoke is expected
    assert parse_as(StoredConfig, tomllib.loads(config.to_toml())) == parse_as(StoredConfig, config.model_dump())


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"task": SCRIPT_TASK, "search": {"smoke": True}}, "task.smoke"),
        ({"task": {**SCRIPT_TASK, "smoke": "python train.py && true"}}, "without a shell"),
        ({"task": {**SCRIPT_TASK, "smoke": "python /p/train.py"}}, "by its name in the working folder"),
        ({"search": {"smoke": "yes"}}, "smoke"),
    ],
)
def test_smoke_runs_that_cannot_be_made_are_refused(sections: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        configured(**sections)
