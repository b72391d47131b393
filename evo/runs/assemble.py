"""The only place that picks implementations: from a resolved configuration to a search that can run."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo.config.config import AgentConfig, Config
from evo.config.models import ModelConfig
from evo.config.resolved import ResolvedConfig, StoredConfig
from evo.config.task import ExternalTask, ScriptTask
from evo.config.workplaces import WORKERS
from evo.files import read_text
from evo.lineage.writer import FamilyTree
from evo.runs.facts import gather_facts
from evo.runs.generation_zero import gate_of
from evo.runs.materials import Materials, ScriptFiles, frozen_texts, script_settings
from evo.search.breeding import Breeder
from evo.search.controls import Extension
from evo.search.credit import Credit
from evo.search.jobs import Jobs
from evo.search.mating import Mating, Niches, Pairs
from evo.search.observer import Observer
from evo.search.repairs import Repairs
from evo.search.search import Search
from evo.search.smoke import SmokeRuns
from evo.search.stopping import StoppingRules
from evo.search.time_limits import TimeLimits
from evo.standings.plan import make_plan
from evo.standings.rungs import SuccessiveHalving
from evo.standings.standings import Standings
from evo.steering.inbox import Inbox
from evo.steering.journal import SteeringJournal
from evo.store import Store, StoreView
from evo.workers import Build, Evaluator
from operators.choice import AdaptiveChoice, OperatorChoice
from operators.proposal import Operator
from operators.registry import OPERATORS, Setup
from operators.source.constants import is_for_another_device
from populations.descriptors import BRANCH, Descriptors
from populations.toolbox import Toolbox, build_toolbox
from trainer.agent import found_program
from trainer.cluster.parcels import CORPUS, FROZEN, Content
from trainer.corpus import Corpus
from trainer.errors import ConfigError
from trainer.evaluation import Budget
from trainer.local import WorkerSettings
from trainer.sandbox import choose_level
from trainer.settings import Limits, Settings

if TYPE_CHECKING:
    from operators.agent import Agents, AgentSettings
    from operators.llm import (
        Conditions,
        Conversations,
        Facts,
        LanguageModel,
        LLMSettings,
        ScriptConditions,
        SpendLimit,
    )


def build_search(
    config: StoredConfig,
    store: Store,
    lineage: FamilyTree,
    evaluator: Evaluator,
    operators: OperatorChoice,
    observer: Observer,
    device_kind: str,
    clock: Callable[[], float] = time.monotonic,
    inbox: Inbox | None = None,
    lessons_file: Path | None = None,
    extension: Extension | None = None,
    program_file: Path | None = None,
) -> Search:
    """Return the search of a run over an open store.

    Without an inbox and an extension nothing can be asked of it. `lessons_file` is where the lessons of the run stand
    for the user, `program_file` where the user's instructions to language models do; None for nowhere.
    """
    standings = build_standings(config)
    gate = gate_of(config, lambda: store.source(0), store.known)
    limits = TimeLimits.of(config.script) if config.script and config.script.command else None
    jobs = Jobs(store, standings, config.budget.min_throughput, limits)
    mating = Mating(
        config.search.seed,
        _toolbox(config),
        operators,
        store,
        standings,
        _niches(config, store, standings, device_kind),
        SteeringJournal(store),
        config.diversity.archive_fraction if config.diversity.descriptors else 0.0,
        _pairs(config, store),
        independent=_is_independent(config),
    )
    smoke = SmokeRuns(store, jobs, standings.plan.training_seed(0)) if config.search.smoke else None
    repairs = Repairs(store) if config.search.repair_crashes else None
    breeder = Breeder(
        mating, gate, store, standings, similarity=config.diversity.similarity, smoke=smoke, repairs=repairs
    )
    rules = StoppingRules.of(config)
    credit = Credit.of(config, operators, standings, store) if config.operators.adaptive else None
    return Search(
        store,
        lineage,
        evaluator,
        breeder,
        standings,
        observer,
        rules,
        credit,
        jobs,
        inbox,
        tuple(config.operators.weights),
        clock,
        config.llm.parallel,
        config.llm.lessons_every,
        lessons_file,
        config.workers.reference_device,
        extension,
        program_file,
    )


def build_standings(config: Config) -> Standings:
    """Return empty standings, to be told a run's results."""
    # Independent samples have no parents to choose, so there is nothing that exploring could change.
    diversity = config.diversity.model_copy(update={"explore_after": 0} if _is_independent(config) else {})
    return Standings(
        make_plan(config),
        config.objectives(config.search.objectives),
        config.objectives(config.search.front),
        _toolbox(config),
        config.task.bounds,
        diversity,
        build_halving(config),
    )


def build_halving(config: Config) -> SuccessiveHalving:
    """Return the rungs of smaller budgets, to be told a run's results."""
    search = config.search
    return SuccessiveHalving(config.fidelity, search.seed, config.objectives(search.objectives), config.task.bounds)


def read_standings(config: Config, store: StoreView) -> Standings:
    """Return the standings that a run's results amount to."""
    standings = build_standings(config)
    for outcome in store.outcomes():
        standings.tell(store.individual(outcome.individual), outcome, store.source)
    return standings


def build_evaluator(config: ResolvedConfig, materials: Materials, live: Path | None = None) -> Evaluator:
    """Return the workers of a resolved configuration; no process starts before the first job.

    `live` is the folder for the curves of what runs on this machine, by the number of the worker; None for none.

    Raises:
        ConfigError: a program of the user's evaluates the candidates of this run, or no node of the cluster is fit.
    """
    if isinstance(config.task, ExternalTask):
        raise ConfigError(
            "The candidates of this run are evaluated by a program of yours: continue it there, with "
            "evo.Search.resume(path)."
        )
    settings, kind = worker_settings(config, materials), WORKERS[config.workers.kind]
    if live is not None and kind.is_here:
        settings = [replace(one, live=live.absolute() / f"{number}.json") for number, one in enumerate(settings)]
    build: Build = import_module(kind.module).build
    return build(config, settings, contents_of(materials))


def contents_of(materials: Materials) -> dict[Content, Path]:
    """Return what a worker on another machine needs, with where it lies here."""
    if isinstance(materials, ScriptFiles):
        files = (*materials.frozen, *materials.held_out)
        return {Content(FROZEN, one.sha256, one.path.name): one.path for one in files}
    return {Content(CORPUS, materials.digest, materials.folder.name): materials.folder}


def worker_settings(config: ResolvedConfig, materials: Materials) -> Sequence[WorkerSettings]:
    """Return the settings of each worker's supervisor."""
    task, workers = config.task, config.workers
    limits = Limits(memory_mib=workers.memory_mib)
    if isinstance(task, ScriptTask):
        assert isinstance(materials, ScriptFiles)  # noqa: S101 - prepared for this task
        return [script_settings(config, task, materials, device, limits) for device in config.devices]
    assert isinstance(materials, Corpus)  # noqa: S101 - as above
    return [
        Settings(
            corpus=materials.folder,
            device=device.kind,
            device_id=device.id,
            budget=training_budget(config),
            sequence_length=task.sequence_length,
            score_tokens=task.score_tokens,
            threads=workers.threads,
            limits=limits,
            sandbox=workers.sandbox,
        )
        for device in config.devices
    ]


def training_budget(config: StoredConfig) -> Budget:
    """Return the budget of one evaluation."""
    budget = config.budget
    return Budget(budget.train_seconds, budget.clock, budget.setup_seconds, budget.score_seconds)


def build_operators(
    config: ResolvedConfig, spent_usd: float = 0.0, materials: Materials | None = None
) -> OperatorChoice:
    """Return the operators of a run.

    Args:
        spent_usd: what the run has paid for language models already.
        materials: of its task, which a language model is told of; None where they are not prepared.

    Raises:
        ConfigError: the language model of an operator cannot be reached, or its coding agent not be run, as configured.
    """

    @cache
    def conditions() -> Conditions | ScriptConditions:
        frozen = frozen_texts(config.script) if config.script else ()
        return _conditions(config, config.devices[0].name, frozen, gather_facts(config, materials))

    @cache
    def spend_limit() -> SpendLimit:
        from operators.llm import SpendLimit

        return SpendLimit(config.llm.max_cost_usd, spent_usd)

    def conversations() -> Sequence[Conversations]:
        from operators.llm import PRICES, LanguageModel

        every = llm_settings(config)
        for settings in every:
            if config.search.max_usd is not None and settings.known_price is None:
                raise ConfigError(
                    f"`search.max_usd` needs a model whose price is known ({', '.join(PRICES)}), but the model was "
                    f"{settings.model!r}. Choose another one, or state its price in `[[llm.models]]`."
                )
        models = [LanguageModel(settings, spend_limit()) for settings in every]
        for model in models:
            model.prepare()
        return _conversations(config, models, conditions())

    def agents() -> Agents:
        from operators.agent import Agents
        from operators.llm.context import Prompts

        _refuse_unreadable(config.llm.program)
        prompts = Prompts(conditions())
        return Agents(agent_settings(config), prompts, spend_limit())

    return _weighed_operators(config, config.device_kind, conversations, agents)


def require_operators(configs: Iterable[ResolvedConfig]) -> None:
    """Raise ConfigError unless every configuration has its operators, and the language model of those that need one."""
    for config in configs:
        asyncio.run(build_operators(config).close())


def recorded_operators(config: StoredConfig, device_kind: str) -> OperatorChoice:
    """Return the operators of a run that is over, to repeat its proposals from the journal, on whatever machine.

    They know no key, no server and no instructions of the user: what was asked and replied stands in the journal.

    Args:
        device_kind: of the devices that the run trained on, such as `cpu`.
    """

    def conversations() -> Sequence[Conversations]:
        from operators.llm import Facts, LanguageModel, LLMSettings

        settings = (
            LLMSettings(model=one.name, base_url="http://localhost", max_repairs=config.llm.repairs)
            for one in config.llm.entries
        )
        return _conversations(config, list(map(LanguageModel, settings)), _conditions(config, device_kind, (), Facts()))

    def agents() -> Agents:
        from operators.agent import Agents, AgentSettings
        from operators.llm import Facts, SpendLimit
        from operators.llm.context import Prompts

        settings = AgentSettings("recorded", (), "", repairs=config.agent.repairs)
        return Agents(settings, Prompts(_conditions(config, device_kind, (), Facts())), SpendLimit())

    return _weighed_operators(config, device_kind, conversations, agents)


def _conversations(
    config: StoredConfig, models: Sequence[LanguageModel], conditions: Conditions | ScriptConditions
) -> Sequence[Conversations]:
    """Return the conversations with each model, for which the others stand in."""
    from operators.llm import Conversations

    waits = len(models) > 1 and not _has_stand_ins(config)
    patience_seconds = config.llm.patience_seconds if waits else 0.0
    return [
        Conversations(model, conditions, [one for one in models if one is not model], patience_seconds)
        for model in models
    ]


def _has_stand_ins(config: Config) -> bool:
    """Return whether operators go on alone while no language model can be asked."""
    return any(OPERATORS[name].is_stand_in for name in config.operators.weights or ())


def _weighed_operators(
    config: StoredConfig,
    device_kind: str,
    conversations: Callable[[], Sequence[Conversations]],
    agents: Callable[[], Agents],
) -> OperatorChoice:
    (objective,) = config.objectives(config.search.objectives[:1])
    method, styles = config.operators.tuning_method, config.llm.styles
    model_weights = [one.weight for one in config.llm.entries]
    setup = Setup(device_kind, objective, method, styles, cache(conversations), agents, model_weights)
    weighted: list[tuple[Operator, float]] = []
    for name, weight in config.operators.weights.items():
        registration = OPERATORS[name]
        made = registration.make(setup)
        parts = registration.parts(setup) if registration.parts else [1.0] * len(made)
        weighted += [(one, weight * part / sum(parts)) for one, part in zip(made, parts, strict=True)]
    choice = AdaptiveChoice if config.operators.adaptive else OperatorChoice
    return choice(weighted)


def llm_settings(config: Config, environment: Mapping[str, str] = os.environ) -> list[LLMSettings]:
    """Return how to reach each language model; keys come from the environment and stay in this process.

    Raises:
        ConfigError: the key is missing, the address is wrong, or `program.md` cannot be read.
    """
    from operators.llm import LLMSettings

    llm = config.llm
    _refuse_unreadable(llm.program)
    has_stand_ins = len(llm.entries) > 1 or _has_stand_ins(config)
    return [
        LLMSettings(
            **connection_of(one, environment),
            max_tokens=llm.max_tokens,
            reply_deadline_seconds=llm.reply_deadline_seconds,
            patience_seconds=llm.patience_seconds,
            cache_lifetime=llm.cache_lifetime or "5m",
            max_cost_usd=llm.max_cost_usd,
            max_repairs=llm.repairs,
            web_searches=llm.web_searches,
            has_stand_ins=has_stand_ins,
        )
        for one in llm.entries
    ]


def connection_of(model: ModelConfig, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return those arguments of `operators.llm.LLMSettings` that say how a model is reached and what it costs.

    Args:
        model: one of `LLMConfig.entries`, with its server.
        environment: with the keys.

    Raises:
        ConfigError: the variable that the configuration names for its key is not set.
    """
    from operators.llm import key_for

    provider = model.provider or "anthropic"
    explicit = None
    if model.key_variable is not None:
        explicit = environment.get(model.key_variable, "").strip()
        if not explicit:
            raise ConfigError(
                f"The key of the language model {model.name} must be in the environment variable {model.key_variable}, "
                "as `key_variable` says, but that is not set."
            )
    return {
        "model": model.name,
        "provider": provider,
        "base_url": model.base_url,
        "api_key": key_for(model.base_url, explicit=explicit, environment=environment, provider=provider),
        "price": model.known_price,
        "effort": model.effort,
    }


def agent_settings(config: Config, environment: Mapping[str, str] = os.environ) -> AgentSettings:
    """Return how to run the coding agent; its keys come from the environment and reach its process alone.

    Raises:
        ConfigError: its program or a variable that it needs is missing.
    """
    from operators.agent import PRESETS, AgentSettings

    agent = config.agent
    preset = PRESETS[agent.preset]
    command = agent.command or (*preset.command, *(("--model", "{model}") if agent.model else ()))
    program = found_program(command[0], environment.get("PATH"))
    return AgentSettings(
        name=Path(command[0]).name if agent.command else agent.preset,
        command=(str(program.path), *command[1:]),
        sandbox=choose_level(config.workers.sandbox, "cpu"),
        variables=_agent_variables(agent, environment),
        visible=(*map(str, program.installation), *_files_of(command[1:]), *agent.visible),
        writable=(agent.config_folder,) if agent.config_folder else (),
        model=agent.model,
        seconds=agent.seconds,
        turns=agent.turns,
        max_cost_usd=agent.max_cost_usd,
        repairs=agent.repairs,
        parallel=agent.parallel,
        has_stand_ins=_has_stand_ins(config),
    )


def _files_of(words: Sequence[str]) -> list[str]:
    """Return the words of a command that name files by whole paths: a script that is run, its settings."""
    return [word for word in words if word.startswith("/") and os.path.isfile(word)]  # noqa: PTH113 - texts are no paths


def _agent_variables(agent: AgentConfig, environment: Mapping[str, str]) -> dict[str, str]:
    from operators.agent import PRESETS, Preset

    preset = Preset(()) if agent.command else PRESETS[agent.preset]
    if missing := [name for name in agent.environment if name not in environment]:
        raise ConfigError(f"`agent.environment` names {', '.join(missing)}, which the environment does not hold.")
    named = {name: environment[name] for name in (*preset.variables, *agent.environment) if environment.get(name)}
    if absent := [path for path in agent.visible if not Path(path).exists()]:
        raise ConfigError(f"`agent.visible` names {', '.join(absent)}, which is not there.")
    if agent.config_folder and not Path(agent.config_folder).is_dir():
        raise ConfigError(f"`agent.config_folder` must be a folder, but {agent.config_folder} is none.")
    if not (agent.command or named or agent.config_folder):
        keys = f"set {' or '.join(preset.variables)}, " if preset.variables else ""
        raise ConfigError(
            f"The coding agent {agent.preset} has no key: {keys}name another variable in `agent.environment`, or give "
            "it its own configuration with `agent.config_folder`."
        )
    place = {preset.config_variable: agent.config_folder} if agent.config_folder and preset.config_variable else {}
    return {**preset.settings, **named, **place}


def _conditions(
    config: StoredConfig, device: str, frozen: tuple[tuple[str, str], ...], facts: Facts
) -> Conditions | ScriptConditions:
    from operators.llm import Conditions, ScriptConditions

    named = config.objectives(tuple(dict.fromkeys((*config.search.objectives, *config.search.front))))
    deciding = len(config.search.objectives)
    task = config.task
    if isinstance(task, ScriptTask):
        return ScriptConditions(
            objectives=named,
            device=device,
            files=task.genome,
            protected=(*task.protect, *config.search.fixed_constants),
            command=shlex.join(task.command),
            score=shlex.join(task.score),
            fixed_seconds=task.fixed_seconds,
            time_limit=str(TimeLimits.of(task)),
            constraints=task.constraints,
            frozen=frozen,
            facts=facts,
            smoke=shlex.join(task.smoke) if config.search.smoke else "",
            deciding=deciding,
        )
    budget = training_budget(config)
    return Conditions(named, budget, device, task.vocab_size, task.sequence_length, facts, deciding)


def _is_independent(config: Config) -> bool:
    return config.search.parents == "generation_zero"


def _pairs(config: StoredConfig, store: StoreView) -> Pairs | None:
    match config.operators.crossover_pairs:
        case "unrelated":
            return Pairs(store)
        case "fresh":
            return Pairs(store, generations=1)
        case _:
            return None


def _niches(config: Config, store: StoreView, standings: Standings, device_kind: str) -> Niches:
    """Return the archive that the configuration describes; of each branch of the family one, where it names none."""
    names = config.diversity.descriptors or (BRANCH,)
    is_idle = partial(is_for_another_device, device=device_kind)
    return Niches(store, standings, Descriptors(names, config.diversity.bins, is_idle))


def _toolbox(config: Config) -> Toolbox:
    return build_toolbox(
        config.objectives(config.search.objectives),
        config.search.pop,
        tournament_size=config.search.tournament_size or 2,
    )


def instructions_file(config: StoredConfig) -> Path | None:
    """Return where the user's instructions stand; None where no operator is told of them."""
    is_told = config.uses_language_model or config.uses_agent
    return Path(config.llm.program) if config.llm.program and is_told else None


def _refuse_unreadable(path: str) -> None:
    """Refuse a file of instructions that cannot be read when a run starts; what it says is taken up by the search."""
    try:
        read_text(Path(path)) if path else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"--program must be a readable UTF-8 file, but {path} is not: {reason}.") from error
