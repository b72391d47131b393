"""Filling in what a configuration leaves to the device and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from evo.config.config import Config, LLMConfig
from evo.config.models import ModelConfig
from evo.config.resolved import ResolvedBudget, ResolvedConfig, ResolvedOperators, ResolvedTask, ResolvedWorkers
from evo.config.task import LanguageModelTask, ScriptTask
from operators.prompt_styles import STYLES
from operators.registry import default_weights
from operators.services import PROVIDERS, Service
from trainer.errors import ConfigError
from trainer.evaluation import Clock
from trainer.machine import devices
from trainer.machine.capacity import capacity
from trainer.machine.devices import Device
from trainer.sandbox import describe

if TYPE_CHECKING:
    from trainer.cluster.connection import Wanted

_TRAIN_SECONDS = {"cpu": 30.0, "mps": 300.0, "cuda": 300.0}
_SEQUENCE_LENGTH = {"cpu": 128, "mps": 256, "cuda": 1024}
_SCORE_TOKENS = {"cpu": 32_768, "mps": 131_072, "cuda": 524_288}
# What a model proposes builds on the best that is known, so it pays to vary that more often: with 16 individuals and a
# model that reads the memory of the run, tournaments of 4 need 14% fewer calls than those of 2 to join all ideas that
# help, and larger ones no fewer (experiments/records, selection-pressure).
_TOURNAMENT_SIZE, _TOURNAMENT_SIZE_WITH_LLM = 2, 4
_SMOKE_FROM_SECONDS = 60.0
"""A smoke run takes a worker for some seconds, which is little beside such a training."""
# What the driver, the scorer and the waiting spares need beside the candidates.
_CANDIDATES_MEMORY_FRACTION = 0.7
_LARGEST_MEMORY_MIB = {"cpu": 8192.0}
# The provider's short cache lifetime; calls that are further apart pay for the long one.
_SHORT_CACHE_SECONDS = 300.0


def resolve(config: Config, environment: Mapping[str, str] = os.environ) -> ResolvedConfig:
    """Return `config` with a value for every `None`, and with the devices of its workers.

    Raises:
        ConfigError: a device is absent, the sandbox that was asked for does not work here, or an operator needs a
            language model that cannot be reached.
    """
    place = _find_cluster(config) if config.workers.kind == "ray" else _find_here(config)
    found, workers = place.devices, place.workers
    llm = with_servers(config.llm, environment)
    has_llm = any(_can_be_asked(model, environment) for model in llm.entries)
    weights = config.operators.weights or default_weights(with_llm=has_llm)
    pairs = config.operators.crossover_pairs or "unrelated"
    chosen: dict[str, Any] = {
        "task": _resolve_task(config, found[0].kind),
        "budget": _resolve_budget(config, found[0].kind),
        "operators": ResolvedOperators(**{**dict(config.operators), "weights": weights, "crossover_pairs": pairs}),
        "workers": workers,
        "devices": tuple(found),
        "sandbox_found": place.sandbox,
    }
    resolved = ResolvedConfig(**{**dict(config), **chosen})
    by_default = _TOURNAMENT_SIZE_WITH_LLM if resolved.uses_language_model else _TOURNAMENT_SIZE
    size = config.search.tournament_size or by_default
    search = config.search.model_copy(update={"tournament_size": size, "smoke": _has_smoke_runs(resolved)})
    return resolved.model_copy(update={"llm": _resolve_llm(resolved, llm), "search": search})


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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where candidates run.

    Attributes:
        devices: one for each worker.
        workers: the section of the configuration.
        sandbox: what its setting stands for there, in words.
    """

    devices: Sequence[Device]
    workers: ResolvedWorkers
    sandbox: str


def _find_here(config: Config) -> _Place:
    found = _worker_devices(config)
    workers = _resolve_workers(config, found)
    return _Place(found, workers, describe(workers.sandbox, found[0].kind))


def _find_cluster(config: Config) -> _Place:
    """Ask the nodes of a Ray cluster what they are; raise ConfigError when none can be used."""
    from trainer.cluster.connection import AUTO, connect

    asked = config.workers
    cluster = connect(asked.address or AUTO)
    wanted = cluster_wanted(config, has_gpus=cluster.has_gpus())
    survey = cluster.survey(wanted)
    slots = {node: wanted.slots(node) for node in survey.fit}
    found = [
        device for node, facts in survey.fit.items() for device in node_devices(facts.devices, wanted.gpus, slots[node])
    ]
    # The same limits everywhere, whatever node an individual comes to.
    cores = min(node.cpus // slots[node] for node in slots)
    memory_mib = min(node.memory_mib / slots[node] for node in slots) * _CANDIDATES_MEMORY_FRACTION
    workers = ResolvedWorkers(
        kind="ray",
        address=cluster.address,
        devices=(wanted.kind,),
        threads=wanted.threads if wanted.kind == "cpu" else asked.threads or max(1, cores),
        memory_mib=asked.memory_mib or round(_limited(memory_mib, wanted.kind)),
        sandbox=asked.sandbox,
        reference_device=asked.reference_device,
    )
    return _Place(found, workers, survey.terms.sandbox)


def cluster_wanted(config: Config, *, has_gpus: bool = False) -> Wanted:
    """Return what a run asks of every node of a cluster.

    Args:
        config: of the run.
        has_gpus: whether a node has GPUs, which are used unless the configuration says otherwise.
    """
    from trainer.cluster.connection import Wanted

    workers, script = config.workers, config.script
    own = [service.key_variable for service in PROVIDERS.values()]
    gpus = 1 if script is None or script.gpus is None else script.gpus
    on_gpus = gpus > 0 and (workers.devices == ("cuda",) or (not workers.devices and has_gpus))
    return Wanted(
        kind="cuda" if on_gpus else "cpu",
        gpus=gpus if on_gpus else 0,
        threads=1 if on_gpus else workers.threads or 1,
        sandbox=workers.sandbox,
        secrets=tuple(sorted({*own, *(model.key_variable for model in config.llm.entries if model.key_variable)})),
    )


def node_devices(found: Sequence[Device], gpus: int, slots: int) -> list[Device]:
    """Return the device of each slot of a node."""
    if not gpus:
        return [found[0]] * slots
    return [devices.joined(found[start : start + gpus]) for start in range(0, slots * gpus, gpus)]


def machine_devices(named: Sequence[str] = ()) -> list[Device]:
    """Return the devices of this machine that a user named; without names, every GPU, else the CPU.

    Raises:
        ConfigError: a device is absent.
    """
    return devices.select(named) if named else devices.discover()


def _worker_devices(config: Config) -> list[Device]:
    """Return the device of each worker, dealt out in turn.

    Where one evaluation of a script takes several GPUs, they are one device, whose id lists theirs with commas.
    """
    named = machine_devices(config.workers.devices)
    kinds = {device.kind for device in named}
    if len(kinds) > 1:
        raise ConfigError(
            f"--devices must be of one kind, since the budget and the sizes of the task depend on it, but they were "
            f"{', '.join(sorted(kinds))}. GPUs of several models may be mixed."
        )
    if config.script is not None and config.script.gpus is not None:
        named = _grouped(named, config.script.gpus)
    if named[0].kind == "cuda":
        named = named * config.workers.slots_per_gpu
    return [named[index % len(named)] for index in range(config.workers.count or len(named))]


def _grouped(named: Sequence[Device], size: int) -> list[Device]:
    """Return devices that each stand for as many GPUs as one evaluation takes; the CPU where it takes none."""
    gpus = [device for device in named if device.kind == "cuda"]
    if size == 0:
        return [devices.cpu_device()]
    if len(gpus) < size:
        raise ConfigError(
            f"`task.gpus` is {size}, but {len(gpus) or 'no'} GPU{'' if len(gpus) == 1 else 's'} can be used here. "
            "`evo doctor` lists the devices."
        )
    return [devices.joined(gpus[start : start + size]) for start in range(0, len(gpus) - size + 1, size)]


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


def _resolve_workers(whole: Config, found: Sequence[Device]) -> ResolvedWorkers:
    config, kind = whole.workers, found[0].kind
    machine = capacity()
    # On the CPU's own clock, which the language-model task is timed by there, more threads would only cost.
    threads = 1 if kind == "cpu" and whole.script is None else max(1, machine.cores // len(found))
    available_mib = machine.memory_mib * _CANDIDATES_MEMORY_FRACTION / len(found)
    names = dict.fromkeys(name for device in found for name in (device.id or device.kind).split(","))
    chosen = {
        "count": len(found),
        "devices": config.devices or tuple(names),
        "threads": config.threads or threads,
        "memory_mib": config.memory_mib or round(_limited(available_mib, kind)),
    }
    return ResolvedWorkers(**{**dict(config), **chosen})


def _limited(available_mib: float, kind: str) -> float:
    return min(available_mib, _LARGEST_MEMORY_MIB.get(kind, available_mib))


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
