"""Whether this machine is ready for a run: the checks of `evo doctor`."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import sqlite3
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

import psutil

from evo.config.config import LLMConfig
from evo.config.models import ModelConfig
from evo.config.resolution import with_servers
from evo.lineage.refs import run_git
from evo.runs.assemble import connection_of
from evo.runs.folder import RunFolder
from evo.text import tokens
from operators.agent import PRESETS
from operators.llm import Conditions, LanguageModel, LLMSettings
from operators.llm.client import PromptRefused
from operators.llm.context import Prompts
from operators.llm.settings import check_base_url
from operators.proposal import Exchange
from operators.services import PROVIDERS
from trainer.corpus import default_cache, load
from trainer.errors import EvoError, MachineError
from trainer.evaluation import Budget, Clock
from trainer.machine.capacity import Capacity, capacity
from trainer.machine.control_group import ControlGroups
from trainer.machine.devices import Device, find, working
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES
from trainer.sandbox import Level, survey

_DISTRIBUTION = "evo-train"
_OWN_PACKAGES = ("evo", "operators", "populations", "trainer")
OLDEST_PYTHON = (3, 11)
OLDEST_TORCH = (2, 7)  # as in pyproject.toml
_OLDEST_SQLITE = (3, 37)  # the first with STRICT tables
_LEAST_MEMORY_GIB = 2.0
_LEAST_DISK_GIB = 1.0
_GIB = 2**30
_AMD_DEVICE = Path("/dev/kfd")
_TRIAL_TOKENS = 256
_TRIAL_PATIENCE_SECONDS = 10.0


class State(StrEnum):
    """What a finding means."""

    OK = "ok"
    NOTE = "note"
    """Works, but is worth knowing."""
    MISSING = "missing"
    """A run needs it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `advice` is empty when nothing need be done."""

    subject: str
    state: State
    found: str
    advice: str = ""


def examine(
    folder: Path, environment: Mapping[str, str] = os.environ, *, llm: LLMConfig | None = None
) -> list[Finding]:
    """Return what a run made in `folder` would find on this machine; torch is not imported.

    Args:
        folder: for runs.
        environment: with the keys.
        llm: the language models to call; without, only the variables that would reach one are looked at.
    """
    devices, machine = find(), capacity()
    return [
        _python(),
        _command(environment.get("PATH")),
        *_other_packages(),
        _torch(),
        _git(),
        _sqlite(),
        _devices(devices),
        _sandbox(devices),
        _cpu_time(),
        _cores(machine),
        _memory(machine),
        _disk(folder),
        *_corpora(default_cache() / "corpora"),
        *([found_language_model(environment)] if llm is None else examine_language_models(llm, environment)),
        _coding_agents(environment.get("PATH")),
    ]


def examine_language_models(llm: LLMConfig, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Return what one small call of each language model shows: whether it answers, how fast, and at what price."""
    return [_language_model_at_work(one, llm, environment) for one in with_servers(llm, environment).entries]


def _language_model_at_work(model: ModelConfig, llm: LLMConfig, environment: Mapping[str, str]) -> Finding:
    try:
        settings = LLMSettings(
            **connection_of(model, environment),
            max_tokens=_TRIAL_TOKENS,
            reply_deadline_seconds=llm.reply_deadline_seconds,
            patience_seconds=_TRIAL_PATIENCE_SECONDS,
            has_stand_ins=True,  # there is no run that a failure would end
        )
        asked = LanguageModel(settings)
        exchange = asyncio.run(_asked(asked))
    except (EvoError, PromptRefused) as error:
        return Finding(model.name, State.MISSING, "the call failed", str(error))
    cost = "of unknown price" if exchange.cost_usd is None else f"for ${exchange.cost_usd:.6f}"
    cached = (exchange.cache_read_tokens, exchange.cache_write_tokens)
    counts = tokens(exchange.input_tokens, *cached, exchange.output_tokens)
    uncached = "" if any(cached) else "; none of the prompt cached"
    answering = "" if exchange.model == model.name else f" as {exchange.model}"
    found = f"{settings.shown_url} answered{answering} in {exchange.latency_seconds:.1f} s; {counts} {cost}{uncached}"
    if not asked.counts_tokens:
        advice = "the server reports no tokens: these, and what they cost, are estimated from the length of texts"
        return Finding(model.name, State.NOTE, found, advice)
    if exchange.cost_usd is None:
        advice = "a run with --max-cost needs its price: price = { input = …, output = … } in [[llm.models]]"
        return Finding(model.name, State.NOTE, found, advice)
    return Finding(model.name, State.OK, found)


async def _asked(model: LanguageModel) -> Exchange:
    effort = {"output_config": {"effort": model.settings.effort}} if model.settings.effort else {}
    # The rules of a run, with the breakpoint behind them: a shorter prompt would not be cached.
    conditions = Conditions((LANGUAGE_MODEL_OBJECTIVES["val_bpb"],), Budget(300.0, Clock.WALL), "a GPU", 2048, 1024)
    cache = {"cache_control": {"type": "ephemeral", "ttl": model.settings.cache_lifetime}}
    system = [{"type": "text", "text": Prompts(conditions).system(), **cache}]
    message = {"role": "user", "content": "Answer with the word ready."}
    body = {"model": model.name, "max_tokens": _TRIAL_TOKENS, "system": system, "messages": [message], **effort}
    try:
        return await model.ask(body, seed="doctor")
    finally:
        await model.aclose()


def _python() -> Finding:
    version = platform.python_version()
    return _versioned("Python", version, OLDEST_PYTHON, "install Python 3.11 or newer", f" at {sys.executable}")


def _command(path: str | None) -> Finding:
    """Say which program the word `evo` starts: other packages install a command of this name too."""
    own = Path(sysconfig.get_path("scripts"), "evo")
    found = shutil.which("evo", path=path)
    if found is None:
        return Finding("command", State.NOTE, f"{own} is not on the PATH", f"put {own.parent} on the PATH")
    if Path(found).resolve() != own.resolve():
        advice = f"call {own.with_name('evo-train')}, the same command under a name of its own"
        return Finding("command", State.NOTE, f"`evo` is another program, {found}", advice)
    return Finding("command", State.OK, found)


def _other_packages() -> Iterator[Finding]:
    """Say which other distributions in this environment hold top-level packages of our names."""
    holders = metadata.packages_distributions()
    for package in _OWN_PACKAGES:
        others = sorted({name for name in holders.get(package, []) if name != _DISTRIBUTION})
        if others:
            found = f"`{package}` is also in {', '.join(others)}, whose files may be mixed with evo's"
            advice = "install evo-train into an environment of its own: uv tool install evo-train, or pipx"
            yield Finding("packages", State.NOTE, found, advice)


def _torch() -> Finding:
    oldest = ".".join(map(str, OLDEST_TORCH))
    advice = f"install it into this environment: pip install 'torch>={oldest}'"
    try:
        return _versioned("torch", metadata.version("torch"), OLDEST_TORCH, advice)
    except metadata.PackageNotFoundError:
        return Finding("torch", State.MISSING, "not installed", advice)


def _git() -> Finding:
    path = shutil.which("git")
    if path is None:
        return Finding("git", State.MISSING, "not found on the PATH", "install git 2.30 or newer")
    return Finding("git", State.OK, f"{run_git(Path.cwd(), '--version').strip()} at {path}")


def _sqlite() -> Finding:
    return _versioned("SQLite", sqlite3.sqlite_version, _OLDEST_SQLITE, "use a Python with SQLite 3.37 or newer")


def _versioned(subject: str, version: str, oldest: tuple[int, int], advice: str, place: str = "") -> Finding:
    numbers = tuple(int(part) for part in re.findall(r"[0-9]+", version)[:2])  # (2, 13) of `2.13.0+cpu`
    if numbers < oldest:
        return Finding(subject, State.MISSING, f"{version}{place}", advice)
    return Finding(subject, State.OK, f"{version}{place}")


def _devices(found: Sequence[Device]) -> Finding:
    try:
        there = working(found)
    except MachineError as error:
        return Finding("devices", State.MISSING, str(error))
    memory = [f" ({device.memory_mib / 1024:.0f} GiB)" if device.memory_mib else "" for device in there]
    names = ", ".join(f"{device.kind}: {device.name}{size}" for device, size in zip(there, memory, strict=True))
    if lost := ", ".join(f"{gpu.name} ({gpu.fault})" for gpu in found if gpu.fault):
        return Finding("devices", State.NOTE, names, f"not answered for by its driver, and not used: {lost}")
    if there[0].kind != "cpu":
        return Finding("devices", State.OK, names)
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    advice = f"CUDA_VISIBLE_DEVICES is {hidden!r}, which may hide GPUs" if hidden is not None else ""
    if _AMD_DEVICE.exists():
        advice = "GPUs of AMD are not used: evo finds GPUs by NVIDIA's driver"
    return Finding("devices", State.NOTE if advice else State.OK, f"{names}; no GPU, runs use the CPU", advice)


def _sandbox(devices: Sequence[Device]) -> Finding:
    found = survey(next((device.kind for device in devices if not device.fault), "cpu"))
    if found.level is Level.BUBBLEWRAP:
        return Finding("sandbox", State.OK, str(found.level))
    return Finding(
        "sandbox", State.NOTE, str(found), "install bubblewrap for the strongest one, or allow its namespaces"
    )


def _cpu_time() -> Finding:
    """Say how the CPU time of candidates is counted."""
    if ControlGroups().are_there:
        return Finding("CPU time", State.OK, "by control group, which also ends all processes at once")
    advice = "on Linux with systemd, start with: systemd-run --user --scope evo run …"
    return Finding("CPU time", State.NOTE, "process by process: no control group can be made here", advice)


def _cores(machine: Capacity) -> Finding:
    return Finding("cores", State.OK, f"{machine.cores} usable, load {os.getloadavg()[0]:.1f}")


def _memory(machine: Capacity) -> Finding:
    usable_gib = machine.memory_mib / 1024
    available_gib = min(psutil.virtual_memory().available / _GIB, usable_gib)
    found = f"{available_gib:.1f} of {usable_gib:.1f} GiB available"
    if available_gib < _LEAST_MEMORY_GIB:
        return Finding("memory", State.NOTE, found, f"free some: a worker needs about {_LEAST_MEMORY_GIB:g} GiB")
    return Finding("memory", State.OK, found)


def _disk(folder: Path) -> Finding:
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free_gib = shutil.disk_usage(there).free / _GIB
    found = f"{free_gib:.1f} GiB free for {folder}"
    try:
        RunFolder(folder).refuse_network_file_system()
    except EvoError as error:
        return Finding("disk", State.MISSING, found, str(error))
    if not os.access(there, os.W_OK):
        return Finding("disk", State.MISSING, f"{there} cannot be written", "choose another folder with --out")
    if free_gib < _LEAST_DISK_GIB:
        return Finding("disk", State.NOTE, found, "free some: a long run takes up to a gigabyte")
    return Finding("disk", State.OK, found)


def _corpora(cache: Path) -> Iterator[Finding]:
    prepared = sorted(path for path in cache.glob("[!.]*") if path.is_dir())
    if not prepared:
        yield Finding("data", State.NOTE, f"nothing prepared yet in {cache}", "evo prepare (or the first run does it)")
    for folder in prepared:
        yield _corpus(folder)


def _corpus(folder: Path) -> Finding:
    try:
        corpus = load(folder)
    except EvoError as error:
        return Finding("data", State.NOTE, f"{folder} is damaged", str(error))
    return Finding(
        "data",
        State.OK,
        f"{corpus.name}: {corpus.train_tokens:,} training tokens over {corpus.vocab_size} ids in {folder}",
    )


def _coding_agents(path: str | None) -> Finding:
    """Say which coding agents `llm_agent` can run."""
    programs = {preset.command[0]: shutil.which(preset.command[0], path=path) for preset in PRESETS.values()}
    found = [f"{name} at {place}" for name, place in programs.items() if place is not None]
    return Finding("coding agents", State.OK, ", ".join(found) or f"none of {', '.join(programs)} is on the PATH")


def found_language_model(environment: Mapping[str, str] = os.environ) -> Finding:
    """Say which variables would reach a language model; nothing is asked."""
    subject = "language model"
    for provider, service in PROVIDERS.items():
        if base_url := environment.get(service.url_variable, ""):
            try:
                check_base_url(base_url, provider)
            except EvoError as error:
                return Finding(subject, State.MISSING, "a wrong base URL", f"{service.url_variable}: {error}")
    variables = {name for one in PROVIDERS.values() for name in (one.key_variable, one.url_variable)}
    if found := sorted(name for name in variables if environment.get(name, "").strip()):
        is_default = found[0].startswith("ANTHROPIC_")
        advice = "" if is_default else 'say provider = "openai" and a model in [llm] to use one'
        said = f"{' and '.join(found)} {'is' if len(found) == 1 else 'are'} set"
        return Finding(subject, State.OK if is_default else State.NOTE, said, advice)
    return Finding(
        subject,
        State.NOTE,
        "no API key, no base URL",
        "set ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL to use one, or name another provider in [llm]; without, runs use "
        "the classical operators",
    )
