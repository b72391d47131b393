"""The configuration of a run: one frozen tree that mirrors the TOML file.

Defaults < TOML file < flags. An unknown key fails with a suggestion. `None` means "chosen for the device";
`evo.config.resolution.resolve` fills those in, and the result is stored with the run. Secrets come from the environment
only and are never part of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import Field, field_validator, model_validator

from evo.config.models import ModelConfig
from evo.config.task import (
    LanguageModelTask,
    Positive,
    Quantity,
    ScriptTask,
    Seconds,
    Section,
    TaskConfig,
    refuse_misspelt_places,
)
from operators.prompt_styles import STYLES
from operators.services import ProviderName
from trainer.evaluation import Clock
from trainer.objectives import Objective

Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False, strict=True)]

_LARGEST_SEED = 4_000_000
"""Training seeds derive from it and must fit into 32 bits, as NumPy demands."""


class BudgetConfig(Section):
    """Time limits of one evaluation of the language-model task; see `trainer.evaluation.Budget`.

    Attributes:
        train_seconds: training time on `clock`, from the first training data on; 300 on a GPU and 30 on the CPU by
            default.
        clock: `wall`, or `cpu` for the time of the candidate's processes; the second by default on the CPU.
        setup_seconds: wall time for imports, model building and compilation, before any training data.
        score_seconds: wall time for scoring one split.
        min_throughput: share of its parent's training tokens per second, or of generation 0's where these are fewer,
            below which an offspring is ended early, as a failure; 0 for never.
    """

    train_seconds: Seconds | None = None
    clock: Clock | None = None
    setup_seconds: Seconds = 300.0
    score_seconds: Seconds = 300.0
    min_throughput: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False, strict=True)] = 0.1


class SearchConfig(Section):
    """The evolutionary loop.

    Attributes:
        pop: μ, individuals in the population; also the evaluations of one generation. One that is generational is the
            greedy loop: the best so far is varied, once at a time, and replaced by what is better.
        gens: generations; the run's whole budget is pop × gens evaluations, replicates and confirmations included.
        schedule: `asynchronous` is (μ+1) without a barrier, `generational` is (μ+λ) with one.
        objectives: what selection looks at; several of them select by NSGA-II. The finalists are the best in the one,
            or the members of the front; `val_bpb` is confirmed on held-out text. The task's first one by default.
        front: the objectives of the Pareto front that is kept and reported; those of selection by default, or the
            task's first two where selection looks at one.
        parents: `population` selects them among the survivors; `generation_zero` varies that alone, with operators that
            see no other individual: independent samples. Crossover has no second parent then, and `tuning` still learns
            from what was measured.
        tournament_size: individuals that compete for each parent's place; 2 by default, and 4 with a language model.
        seed_genomes: further programs to start from, beside generation 0, with which all are compared: paths,
            or names of built-in genomes. They are evaluated first. Where genomes are several files, a path is a folder.
        fixed_constants: constants of generation 0, by name, that no individual may change.
        seed: every random choice derives from it.
        max_hours: wall time of the run, its confirmation included, over all its drivers.
        max_gpu_hours: hours of all workers together, each counted for the devices that one evaluation takes; crashes,
            lost evaluations and the confirmation are included.
        max_usd: those hours at `operators.dollars_per_hour`, and what language models cost.
        target: mean of the first objective at which the search ends.
        smoke: whether offspring are tried for a moment on a worker before an evaluation is spent on them. By default
            where a training has 60 s or more, and for scripts with a `task.smoke` command.
        repair_crashes: whether what a language model or a coding agent has made and crashes in its evaluation goes back
            once, with the end of what it printed; the mended program is an individual of its own. True by default.
        patience: results without a better individual, or with several objectives without a new one on the front, after
            which the search ends; 0 for never.
    """

    pop: Positive = 16
    gens: Positive = 40
    schedule: Literal["asynchronous", "generational"] = "asynchronous"
    objectives: tuple[str, ...] = ()
    front: tuple[str, ...] = ()
    parents: Literal["population", "generation_zero"] = "population"
    tournament_size: Positive | None = None
    seed_genomes: tuple[str, ...] = ()
    fixed_constants: tuple[str, ...] = ()
    seed: Annotated[int, Field(ge=0, le=_LARGEST_SEED, strict=True)] = 0
    max_hours: Quantity | None = None
    max_gpu_hours: Quantity | None = None
    max_usd: Quantity | None = None
    target: Annotated[float, Field(allow_inf_nan=False, strict=True)] | None = None
    patience: Annotated[int, Field(ge=0, strict=True)] = 0
    smoke: Annotated[bool, Field(strict=True)] | None = None
    repair_crashes: Annotated[bool, Field(strict=True)] | None = None

    @field_validator("objectives", "front")
    @classmethod
    def _named_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or len(set(names)) != len(names):
            raise ValueError(f"must name one objective or several, each once, but it was {list(names)}")
        return names

    @property
    def evaluations(self) -> int:
        """The run's budget, evaluations."""
        return self.pop * self.gens


class FidelityConfig(Section):
    """Smaller budgets on which offspring are tried before they get the whole (`evo.standings.rungs`).

    Attributes:
        rungs: shares of the budget, ascending, the last 1.0; each is a training from scratch. Empty for none.
        promote: share of a rung's results that goes on to the next one.
        calibrate: individuals that train on every rung, whatever they score, before ranks decide.
        min_correlation: Spearman's rank correlation with the whole budget below which a rung is left out.
    """

    rungs: tuple[Share, ...] = ()
    promote: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False, strict=True)] = 1 / 3
    calibrate: Annotated[int, Field(ge=8, strict=True)] = 12
    min_correlation: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False, strict=True)] = 0.5

    @field_validator("rungs")
    @classmethod
    def _ascending(cls, rungs: tuple[float, ...]) -> tuple[float, ...]:
        if rungs and (len(rungs) < 2 or rungs[-1] != 1 or list(rungs) != sorted(set(rungs))):
            raise ValueError(f"must be ascending shares of the budget that end in 1.0, but they were {list(rungs)}")
        return rungs


class NoiseConfig(Section):
    """How noise is measured and kept out of the result.

    Attributes:
        baseline_replicates: evaluations of generation 0, each with another seed, that measure σ.
        leaders: how many of the best are evaluated with more than one seed.
        leader_seeds: how many seeds each of them gets.
        sentinel_every: results of a device after which generation 0 runs on it again; 0 for never.
        confirm_fraction: of the budget, kept for re-evaluating the finalists where selection did not look; but at least
            ten evaluations, or a quarter of a small budget. 0 for no confirmation.
    """

    baseline_replicates: Positive = 3
    leaders: Annotated[int, Field(ge=0, strict=True)] = 3
    leader_seeds: Positive = 2
    sentinel_every: Annotated[int, Field(ge=0, strict=True)] = 40
    confirm_fraction: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False, strict=True)] = 0.085


class DiversityConfig(Section):
    """What keeps a search from looking in one place only; all of it is off unless asked for.

    Attributes:
        islands: parts of the population that breed apart; 1 for none.
        migrate_every: results of offspring after which each island sends its best to the next one.
        migrants: how many it sends.
        max_age: results that an individual stays in the population for, unless it is the best; 0 for ever.
        similarity: share of common code from which an offspring repeats a child of its parents that came out worse than
            the first of them, and is refused unless it differs in constants only; 0 for never. Failures never count.
        descriptors: what tells the niches of a MAP-Elites archive apart: `branch`, `depth`, `optimizer`, `distance`, a
            measured quantity such as `parameters`, or a constant such as `WIDTH`. None for no archive but what
            exploration needs.
        bins: niches along a descriptor that is a number.
        archive_fraction: of the offspring, how many have parents from the archive of `descriptors`.
        explore_after: results without a better individual after which the search explores; 0 for never.
    """

    islands: Positive = 1
    migrate_every: Positive = 64
    migrants: Positive = 1
    max_age: Annotated[int, Field(ge=0, strict=True)] = 0
    similarity: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)] = 0.0
    descriptors: tuple[str, ...] = ()
    bins: Annotated[int, Field(ge=2, strict=True)] = 7
    archive_fraction: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)] = 0.5
    explore_after: Annotated[int, Field(ge=0, strict=True)] = 0

    @field_validator("descriptors")
    @classmethod
    def _named_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) != len(names):
            raise ValueError(f"must name each descriptor once, but it was {list(names)}")
        return names


class OperatorsConfig(Section):
    """Which operators make offspring.

    Attributes:
        weights: relative frequency by operator name; None takes the language model where one can be reached, and the
            classical operators otherwise.
        adaptive: whether operators that improve on their parents for their cost are drawn more often than that.
        dollars_per_hour: what an hour of a worker is worth (of one GPU where an evaluation takes several), to weigh the
            price of a language model against time.
        tuning_method: how `tuning` chooses constants; all but `trust_region` are there to be compared with.
        crossover_pairs: `unrelated`, the default, crosses no individual with an ancestor, and no pair twice by the same
            operator; `fresh` allows ancestors that are not parents; `any` crosses what is selected.
    """

    weights: dict[str, float] | None = None
    adaptive: Annotated[bool, Field(strict=True)] = False
    tuning_method: Literal["trust_region", "tpe", "cma_es", "random"] = "trust_region"
    dollars_per_hour: Quantity = 2.0
    crossover_pairs: Literal["unrelated", "fresh", "any"] | None = None

    @field_validator("weights")
    @classmethod
    def _positive_weights(cls, weights: dict[str, float] | None) -> dict[str, float] | None:
        if weights is not None and (not weights or not all(w > 0 and math.isfinite(w) for w in weights.values())):
            raise ValueError(f"must give each operator a positive weight, but it was {weights}")
        return weights

    @field_validator("tuning_method", mode="before")
    @classmethod
    def _older_name(cls, method: object) -> object:
        """Take runs of the time when other methods shared the work."""
        return "trust_region" if method in ("both", "mixed", "gp") else method


class LLMConfig(Section):
    """The language models behind `llm_mutation` and `llm_crossover`.

    Attributes:
        model: the only one, where `models` names none.
        provider: by which API the model is asked: `anthropic` for Messages, `openai` for Chat Completions,
            `openai-responses` for Responses; the last two need the extra `evo-train[openai]`.
        base_url: a server of that API; None for the provider's own.
        models: several models, drawn by weight; where one refuses or is away, another one is asked.
        program: path of a Markdown file with your instructions to the model; empty for none.
        styles: the kinds of change that mutations ask for, equally often unless the choice of operators is adaptive;
            all of `operators.prompt_styles.STYLES` by default.
        max_tokens: of one reply.
        reply_deadline_seconds: one reply, from the request to the last byte.
        parallel: calls in flight at most; by default as many as the measured latencies need to keep the workers busy,
            and twice the workers and 8 at most.
        patience_seconds: how long an outage is waited out before the run stops, where no other operator stands in.
        lessons_every: results after which the model is asked again what the run has taught (`lessons.md` in the run's
            folder, which later prompts tell); 0 for never.
        web_searches: how often one call may search the web by the provider's own tool (`anthropic`,
            `openai-responses`); the pages that a reply cites are kept with the idea. 0 for never.
        cache_lifetime: for which a provider keeps the beginning of a prompt.
        repairs: how often a reply that cannot be used goes back with the reason.
        max_cost_usd: the run stops before this is exceeded.
    """

    model: Annotated[str, Field(min_length=1)] = "claude-sonnet-5-5"
    provider: ProviderName = "anthropic"
    base_url: str | None = None
    models: tuple[ModelConfig, ...] = ()
    program: str = ""
    styles: tuple[str, ...] = ()
    max_tokens: Annotated[int, Field(ge=256, strict=True)] = 16384
    reply_deadline_seconds: Seconds = 600.0
    parallel: Positive | None = None
    patience_seconds: Seconds = 1800.0
    lessons_every: Annotated[int, Field(ge=0, strict=True)] = 20
    web_searches: Annotated[int, Field(ge=0, le=20, strict=True)] = 0
    cache_lifetime: Literal["5m", "1h"] | None = None
    repairs: Annotated[int, Field(ge=0, strict=True)] = 3
    max_cost_usd: Quantity | None = None

    @field_validator("styles")
    @classmethod
    def _known_styles(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) != len(names) or not set(names) <= set(STYLES):
            raise ValueError(f"must name styles among {', '.join(STYLES)}, each once, but it was {list(names)}")
        return names

    @field_validator("models")
    @classmethod
    def _different_models(cls, models: tuple[ModelConfig, ...]) -> tuple[ModelConfig, ...]:
        names = [one.name for one in models]
        if len(set(names)) != len(names):
            raise ValueError(f"must name each model once, but they were {names}")
        return models

    @property
    def entries(self) -> tuple[ModelConfig, ...]:
        """All models, each with its provider and, as far as one is named, its server."""
        if not self.models:
            return (ModelConfig(name=self.model, provider=self.provider, base_url=self.base_url),)
        return tuple(map(self._completed, self.models))

    def _completed(self, model: ModelConfig) -> ModelConfig:
        provider = model.provider or self.provider
        inherited = self.base_url if provider == self.provider else None
        base_url = inherited if model.base_url is None else model.base_url
        return model.model_copy(update={"provider": provider, "base_url": base_url})


class AgentConfig(Section):
    """The coding agent behind `llm_agent`.

    Attributes:
        preset: an agent whose command is known.
        command: another one, its program and arguments; `{prompt}`, `{turns}`, `{dollars}`, `{seconds}` and `{model}`
            in it stand for what is asked and for the limits of one run. It takes the place of the preset's.
        model: for `--model` of a preset, or for `{model}`; empty for the agent's own choice.
        environment: names of variables of yours that the agent gets beside its preset's, such as another key.
        visible: files and folders of yours that it may read beside its installation and the files that `command`
            names.
        config_folder: its own configuration, which it may read and change: where a subscription needs that.
        seconds: wall time of one run, after which it is killed.
        turns: of one run.
        max_cost_usd: of one run; what is set aside for it under `llm.max_cost_usd`.
        repairs: how often it is run again with the reason when what it left was refused.
        parallel: runs at a time, calls of a language model beside them included; as many as proposals are wanted by
            default.
    """

    preset: Literal["claude-code", "codex", "opencode"] = "claude-code"
    command: tuple[str, ...] = ()
    model: str = ""
    environment: tuple[str, ...] = ()
    visible: tuple[str, ...] = ()
    config_folder: str = ""
    seconds: Seconds = 900.0
    turns: Positive = 40
    max_cost_usd: Quantity = 2.0
    repairs: Annotated[int, Field(ge=0, strict=True)] = 1
    parallel: Positive | None = None

    @field_validator("command")
    @classmethod
    def _known_places(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        refuse_misspelt_places(command, ("prompt", "turns", "dollars", "seconds", "model"))
        return command


class WorkersConfig(Section):
    """Where evaluations run.

    Attributes:
        kind: `local` for supervisors on this machine, `ray` for the nodes of a Ray cluster, which needs the extra
            `evo-train[ray]`.
        address: of the cluster, `ray://HOST:PORT`; `auto` for the one that this machine belongs to.
        count: workers on this machine; None for one a GPU, or one on the CPU. A cluster gives one for each GPU or CPU
            slot that it has.
        devices: `cpu`, `mps`, GPU indices or UUIDs; empty for every visible GPU, else the CPU. On a cluster `cpu` or
            `cuda`.
        slots_per_gpu: evaluations that share a GPU, which suits small models; counts where `count` is not given.
        reference_device: UUID of a GPU, or a part of the name of its model, whose class all values are on the scale of
            where devices are unequal; empty for the most frequent one.
        threads: CPU threads of one candidate.
        memory_mib: resident memory of one candidate's process tree.
        sandbox: `auto` is the strongest isolation that works here, `strict` refuses to start below the top level; or a
            level by name.
    """

    kind: Literal["local", "ray"] = "local"
    address: str | None = None
    count: Positive | None = None
    devices: tuple[str, ...] = ()
    slots_per_gpu: Positive = 1
    reference_device: str = ""
    threads: Positive | None = None
    memory_mib: Quantity | None = None
    sandbox: Literal["auto", "strict", "bubblewrap", "landlock", "process-group"] = "auto"

    @model_validator(mode="after")
    def _of_its_kind(self) -> WorkersConfig:
        """Refuse what only the other kind of workers has."""
        if self.kind != "ray":
            if self.address is not None:
                raise ValueError('`address` is that of a Ray cluster: set `kind = "ray"`, or remove it')
            return self
        if self.count is not None:
            raise ValueError("`count` is for this machine: on a cluster, Ray says how many slots there are")
        if not set(self.devices) <= {"cpu", "cuda"} or len(self.devices) > 1:
            raise ValueError(f'`devices` on a cluster must be ["cpu"] or ["cuda"], but it was {[*self.devices]}')
        if self.address is not None and not is_cluster_address(self.address):
            raise ValueError(f"`address` must be auto or ray://HOST:PORT, but it was {self.address!r}")
        return self


def is_cluster_address(text: str) -> bool:
    """Return whether a text names a Ray cluster as `workers.address` does."""
    return text == "auto" or re.fullmatch(r"ray://[^/@\s:]+:[0-9]+", text) is not None


class Config(Section):
    """All of a run's configuration."""

    task: TaskConfig = LanguageModelTask()
    budget: BudgetConfig = BudgetConfig()
    search: SearchConfig = SearchConfig()
    fidelity: FidelityConfig = FidelityConfig()
    noise: NoiseConfig = NoiseConfig()
    diversity: DiversityConfig = DiversityConfig()
    operators: OperatorsConfig = OperatorsConfig()
    llm: LLMConfig = LLMConfig()
    agent: AgentConfig = AgentConfig()
    workers: WorkersConfig = WorkersConfig()

    @model_validator(mode="after")
    def _objectives_of_the_task(self) -> Config:
        """Fill in the objectives that the task has by default."""
        selection, _ = self.task.default_objectives
        selection = self.search.objectives or selection
        wanted = {"objectives": selection, "front": self.search.front or self._front_of(selection)}
        # The model is frozen, and pydantic wants the same object back.
        object.__setattr__(self, "search", self.search.model_copy(update=wanted))
        return self

    def _front_of(self, selection: tuple[str, ...]) -> tuple[str, ...]:
        """Return the objectives of the front where the configuration names none."""
        return selection if len(selection) > 1 else self.task.default_objectives[1]

    @property
    def has_front_by_default(self) -> bool:
        """Whether the objectives of the front are those that follow from what selection looks at."""
        return self.search.front == self._front_of(self.search.objectives)

    @model_validator(mode="after")
    def _rungs_reach_the_script(self) -> Config:
        """Refuse rungs for a program that would run for its whole time on each of them."""
        script = self.script
        if self.fidelity.rungs and script is not None and not script.takes_seconds:
            raise ValueError(
                "`fidelity.rungs` needs a command that is told how long to run: set `task.fixed_seconds`, and put "
                "{seconds} among the arguments of `task.command`"
            )
        return self

    @model_validator(mode="after")
    def _smoke_runs_can_be_made(self) -> Config:
        """Refuse smoke runs where nothing says what to run."""
        if self.search.smoke and not (isinstance(self.task, LanguageModelTask) or (self.script and self.script.smoke)):
            raise ValueError("`search.smoke` needs a command that shows in a moment that a program runs: `task.smoke`")
        return self

    @property
    def script(self) -> ScriptTask | None:
        """The task if it is a script, else None."""
        return self.task if isinstance(self.task, ScriptTask) else None

    @property
    def claim(self) -> str:
        """What self-reported objectives rest on, one sentence; empty where none is."""
        return self.script.claim if self.script is not None else ""

    def with_search(self, **changes: Any) -> Self:
        """Return the configuration with some keys of `[search]` changed."""
        return self.model_copy(update={"search": self.search.model_copy(update=changes)})

    def objectives(self, names: Sequence[str]) -> tuple[Objective, ...]:
        """Return the named objectives of the task."""
        return tuple(self.task.measured[name] for name in names)

    def to_toml(self) -> str:
        """Return the TOML text that `load_config` reads back."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))
