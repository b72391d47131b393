"""Filling in what a configuration leaves to the device and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from evo.config.config import Config, LLMConfig
from evo.config.models import ModelConfig
from evo.config.resolved import ResolvedBudget, ResolvedConfig, ResolvedOperators, ResolvedTask
from evo.config.task import LanguageModelTask, ScriptTask
from evo.config.workplaces import WORKERS
from operators.prompt_styles import STYLES
from operators.registry import default_weights
from operators.services import PROVIDERS, Service
from trainer.errors import ConfigError
from trainer.evaluation import Clock

_TRAIN_SECONDS = {"cpu": 30.0, "mps": 300.0, "cuda": 300.0}
_SEQUENCE_LENGTH = {"cpu": 128, "mps": 256, "cuda": 1024}
_SCORE_TOKENS = {"cpu": 32_768, "mps": 131_072, "cuda": 524_288}
# What a model proposes builds on the best that is known, so it pays to vary that more often: with 16 individuals and a
# model that reads the memory of the run, tournaments of 4 need 14% fewer calls than those of 2 to join all ideas that
# help, and larger ones no fewer (experiments/records, selection-pressure).
_TOURNAMENT_SIZE, _TOURNAMENT_SIZE_WITH_LLM = 2, 4
_SMOKE_FROM_SECONDS = 60.0
"""A smoke run takes a worker for some seconds, which is little beside such a training."""
# The provider's short cache lifetime; calls that are further apart pay for the long one.
_SHORT_CACHE_SECONDS = 300.0


def resolve(config: Config, environment: Mapping[str, str] = os.environ) -> ResolvedConfig:
    """Return `config` with a value for every `None`, and with the devices of its workers.

    Raises:
        ConfigError: a device is absent, the sandbox that was asked for does not work here, or an operator needs a
            language model that cannot be reached.
    """
    place = WORKERS[config.workers.kind].find(config)
    found = place.devices
    llm = with_servers(config.llm, environment)
    has_llm = any(_can_be_asked(model, environment) for model in llm.entries)
    weights = config.operators.weights or default_weights(with_llm=has_llm)
    pairs = config.operators.crossover_pairs or "unrelated"
    chosen: dict[str, Any] = {
        "task": _resolve_task(config, found[0].kind),
        "budget": _resolve_budget(config, found[0].kind),
        "operators": ResolvedOperators(**{**dict(config.operators), "weights": weights, "crossover_pairs": pairs}),
        "workers": place.workers,
        "devices": tuple(found),
        "sandbox_found": place.sandbox,
    }
    resolved = ResolvedConfig(**{**dict(config), **chosen})
    by_default = _TOURNAMENT_SIZE_WITH_LLM if resolved.uses_language_model else _TOURNAMENT_SIZE
    size = config.search.tournament_size or by_default
    # None in the configuration that an older version has stored stands for no repairs.
    repairs = resolved.uses_language_model if config.search.repair_crashes is None else config.search.repair_crashes
    chosen = {"tournament_size": size, "smoke": _has_smoke_runs(resolved), "repair_crashes": repairs}
    search = config.search.model_copy(update=chosen)
    resolved = resolved.model_copy(update={"llm": _resolve_llm(resolved, llm), "search": search})
    _refuse_other_text(resolved)
    return resolved


def _refuse_other_text(config: ResolvedConfig) -> None:
    """Raise ConfigError for a name that the configuration of a run, which is UTF-8, cannot hold."""
    text = config.to_toml()
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text[: error.start].rpartition("\n")[2] + text[error.start :].partition("\n")[0]
        shown = line.encode("ascii", "backslashreplace").decode()
        raise ConfigError(f"Names of files must be UTF-8, but this one is not: {shown}. Rename the file.") from None


def _has_smoke_runs(config: ResolvedConfig) -> bool:
    """Return whether offspring are tried before their evaluation: as asked, or else where that costs little."""
    if config.search.smoke is not None:
        return config.search.smoke
    if isinstance(config.task, LanguageModelTask):
        return config.budget.train_seconds >= _SMOKE_FROM_SECONDS
    return config.script is not None and bool(config.script.smoke)


def with_servers(llm: LLMConfig, environment: Mapping[str, str]) -> LLMConfig:
    """Return how language models are reached, with the servers that the environment names."""
    if not llm.models:
        return llm.model_copy(update={"base_url": _server(llm.entries[0], environment)})
    models = tuple(one.model_copy(update={"base_url": _server(one, environment)}) for one in llm.entries)
    return llm.model_copy(update={"models": models})


def _server(model: ModelConfig, environment: Mapping[str, str]) -> str | None:
    named = environment.get(_service(model).url_variable) or None  # an empty variable is how some unset one
    return named if model.base_url is None else model.base_url


def _service(model: ModelConfig) -> Service:
    assert model.provider is not None  # noqa: S101 - `LLMConfig.entries` have one
    return PROVIDERS[model.provider]


def _can_be_asked(model: ModelConfig, environment: Mapping[str, str]) -> bool:
    key = environment.get(model.key_variable or _service(model).key_variable, "")
    return model.base_url is not None or bool(key.strip())


def _resolve_task(config: Config, kind: str) -> ResolvedTask | ScriptTask:
    task = config.task
    if isinstance(task, ScriptTask):
        return task
    sizes = {
        "sequence_length": task.sequence_length or _SEQUENCE_LENGTH[kind],
        "score_tokens": task.score_tokens or _SCORE_TOKENS[kind],
    }
    return ResolvedTask(**{**dict(task), **sizes})


def _resolve_budget(config: Config, kind: str) -> ResolvedBudget:
    script = config.script
    by_script = script and (script.fixed_seconds or script.wall_limit_seconds)
    by_cpu = kind == "cpu" and script is None
    chosen = {
        "train_seconds": config.budget.train_seconds or by_script or _TRAIN_SECONDS[kind],
        "clock": config.budget.clock or (Clock.CPU if by_cpu else Clock.WALL),
    }
    return ResolvedBudget(**{**dict(config.budget), **chosen})


def _resolve_llm(config: ResolvedConfig, llm: LLMConfig) -> LLMConfig:
    """Return how language models are reached: `llm`, checked, or what was configured where no operator uses one."""
    if not config.uses_language_model:
        return config.llm
    for model in llm.entries:
        if model.base_url is not None:
            from operators.llm import check_base_url

            _refuse_secrets(model.base_url)
            check_base_url(model.base_url, model.provider or llm.provider)
    seconds_between_calls = config.budget.train_seconds / len(config.devices)
    lifetime: Literal["5m", "1h"] = "1h" if seconds_between_calls > _SHORT_CACHE_SECONDS / 2 else "5m"
    chosen = {"cache_lifetime": llm.cache_lifetime or lifetime, "styles": llm.styles or STYLES}
    return llm.model_copy(update=chosen)


def _refuse_secrets(base_url: str) -> None:
    """Refuse an address with a password or a token in it: it is stored with the run, and printed."""
    try:
        parts = urlsplit(base_url if "://" in base_url else f"http://{base_url}")
    except ValueError as error:
        raise ConfigError(
            f"The base URL of the language model must look like http://localhost:8080, but it is no URL: {error}."
        ) from error
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            "The base URL of the language model must be an address alone, for it is stored with the run, but it held a "
            f"user, a password or a query. Give {parts.scheme}://{parts.netloc.rpartition('@')[2]} and the key in "
            "ANTHROPIC_API_KEY."
        )
