"""`evo ablate` and `evo promote`: what carries a gain, and whether it transfers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from evo.commands.options import Json, RunAndId, comma_separated, example, individual, opened, print_json, run_and_ids
from trainer.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from evo.config.config import Config
    from evo.config.resolved import ResolvedConfig
    from evo.runs.lifecycle import Viewed
    from evo.studies.edits import Change
    from trainer.objectives import Objective

_ABLATE_EXAMPLE = example(
    """
    evo ablate
    evo ablate runs/2026-11-21-220000 12 --evaluations 60 --seeds 3
    """,
    "Edits that need one another stay together. Where there are more of them than --evaluations can measure, "
    "neighbours are joined. Measurements are kept in the run's folder: after Ctrl-C, the same command resumes.",
)
_PROMOTE_EXAMPLE = example(
    """
    evo promote 12 7 --scale budget.train_seconds=300
    evo promote runs/2026-11-21-220000 12 --scale DEPTH=12 --scale task.sequence_length=256 --seeds 4
    """,
    "KEY is a key of [task] or [budget], or a constant of the genomes in capitals. All run with the same seeds, "
    "generation 0 too. Frozen files may differ from those of the run. Measurements are kept in the run's folder.",
)

_Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Evaluations of each program, each with its own seed.")]
_ObjectiveName = Annotated[
    str | None, typer.Option("--objective", help="Objective to compare. [default: the first of the selection]")
]
_Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Parallel evaluations. [default: the run's]")]
_Devices = Annotated[
    str | None,
    typer.Option("--devices", help="cpu, mps, or GPU indices or UUIDs, comma-separated. [default: the run's]"),
]
_Sandbox = Annotated[str | None, typer.Option("--sandbox", help="auto, strict, or a level. [default: the run's]")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(epilog=_ABLATE_EXAMPLE)(ablate)
    app.command(epilog=_PROMOTE_EXAMPLE)(promote)


def ablate(
    run_and_id: RunAndId = None,
    evaluations: Annotated[
        int | None,
        typer.Option("--evaluations", min=1, help="Limit of evaluations. [default: as many as needed, at most 40]"),
    ] = None,
    seeds: _Seeds = 2,
    objective: _ObjectiveName = None,
    workers: _Workers = None,
    devices: _Devices = None,
    sandbox: _Sandbox = None,
    as_json: Json = False,
) -> None:
    """Find out which edits of an individual carry its gain."""
    from evo.commands.views.live import preparation_bar
    from evo.commands.views.study import Watch, print_ablation, say_joined
    from evo.runs.materials import prepare_materials, refuse_other_materials
    from evo.studies.ablation import ablation, planned, trials
    from evo.studies.batch import conditions, measure, study_seeds
    from evo.studies.measurement_cache import MeasurementCache
    from trainer.errors import counted

    run, names = run_and_ids(run_and_id)
    with opened(run) as viewed:
        record = individual(viewed, *names)
        config = _configured(viewed, workers, devices, sandbox)
        compared = _objective(config, objective)
        finest = _change(viewed, record.id)
        change = planned(finest, evaluations, seeds)
        with preparation_bar() as progress:
            materials = prepare_materials(config, progress)
        refuse_other_materials(viewed.store, materials)
    chosen = study_seeds(config, seeds)
    path = viewed.folder.path / f"ablation-{record.id}.json"
    cache = MeasurementCache(path, conditions(config, materials))
    say_joined(finest, change, seeds)
    watch = Watch(config, compared, f"ablation of #{record.id}, {counted(len(change.edits), 'edit')}", cache)
    complete = measure(config, materials, trials(change, chosen), cache, watch)
    task = config.task
    result = ablation(change, cache, chosen, compared, task.bounds, is_deterministic=task.is_deterministic)
    if as_json:
        print_json({"id": record.id, "complete": complete, **result.to_json()})
    else:
        print_ablation(config, record, result)
    _conclude(complete)


def promote(
    run_and_ids_: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN ID...",
            help="The folder of a run [default: the newest under ./runs], and individuals [default: best].",
        ),
    ] = None,
    scale: Annotated[
        list[str] | None,
        typer.Option("--scale", metavar="KEY=VALUE", help="A setting to evaluate at; may be repeated."),
    ] = None,
    seeds: _Seeds = 3,
    objective: _ObjectiveName = None,
    workers: _Workers = None,
    devices: _Devices = None,
    sandbox: _Sandbox = None,
    as_json: Json = False,
) -> None:
    """Find out whether gains transfer to larger settings."""
    from evo.commands.views.live import preparation_bar
    from evo.commands.views.study import Watch, print_promotion, say_changed, say_overridden
    from evo.runs.materials import changed_materials, prepare_materials
    from evo.studies.batch import conditions, measure, study_seeds
    from evo.studies.measurement_cache import MeasurementCache
    from evo.studies.promotion import contender, promotion, trials
    from evo.studies.scale import Scale

    if not scale:
        raise UsageError("Expected --scale KEY=VALUE, as in --scale budget.train_seconds=300, but there was none.")
    larger = Scale.parse(scale)
    run, names = run_and_ids(run_and_ids_, most=100)
    with opened(run) as viewed:
        records = {record.id: record for record in (individual(viewed, name) for name in names or ["best"])}
        if 0 in records:
            raise UsageError("Generation 0 is what the others are compared with. Name other individuals.")
        config = _configured(viewed, workers, devices, sandbox, larger.configured)
        compared = _objective(config, objective)
        files = config.task.genome_files
        sources = {id_: viewed.store.source(id_) for id_ in (0, *records)}
        zero, *programs = (
            larger.genome(source, files, f"individual {id_}" if id_ else "generation 0")
            for id_, source in sources.items()
        )
        say_overridden(larger, sources, files)
        contenders = [
            contender(record, program, viewed, compared)
            for record, program in zip(records.values(), programs, strict=True)
        ]
        with preparation_bar() as progress:
            materials = prepare_materials(config, progress)
        say_changed(changed_materials(viewed.store, materials))
    chosen = study_seeds(config, seeds)
    path = viewed.folder.path / f"promotion-{larger.digest}.json"
    cache = MeasurementCache(path, {"scale": larger.to_json(), **conditions(config, materials)})
    settings = ", ".join(scale)
    watch = Watch(config, compared, f"promotion of {', '.join(f'#{id_}' for id_ in records)} to {settings}", cache)
    complete = measure(config, materials, trials(zero, contenders, chosen), cache, watch)
    is_deterministic = config.task.is_deterministic
    result = promotion(
        zero, contenders, larger, cache, chosen, compared, config.task.bounds, is_deterministic=is_deterministic
    )
    if as_json:
        print_json({"complete": complete, **result.to_json()})
    else:
        print_promotion(config, result)
    _conclude(complete)


def _configured(
    viewed: Viewed,
    workers: int | None,
    devices: str | None,
    sandbox: str | None,
    change: Callable[[Config], Config] = lambda config: config,
) -> ResolvedConfig:
    """Return the resolved configuration of a study of a run.

    Raises:
        UsageError: the run is live on the same devices.
        ConfigError: a flag is wrong.
    """
    from evo.config.reading import overlaid
    from evo.config.resolution import resolve

    if devices is None and viewed.folder.driver() is not None:
        raise UsageError(
            f"The run in {viewed.folder.path} is live, and a study on its devices would disturb it. Wait for its end, "
            "or name other --devices."
        )
    flags = {"workers": {"count": workers, "devices": comma_separated("--devices", devices), "sandbox": sandbox}}
    return resolve(overlaid(change(viewed.config), flags))


def _objective(config: Config, name: str | None) -> Objective:
    """Return the objective that is compared; raise ConfigError for one that is not measured."""
    measured = config.task.measured
    wanted = name or config.search.objectives[0]
    if wanted not in measured:
        raise ConfigError(f"--objective {wanted!r} is not measured; expected one of {', '.join(measured)}.")
    return measured[wanted]


def _change(viewed: Viewed, id_: int) -> Change:
    """Return the edits of an individual; raise UsageError when there are none."""
    from evo.runs.generation_zero import gate_of
    from evo.studies.edits import split_change

    zero, source = viewed.store.source(0), viewed.store.source(id_)
    gate = gate_of(viewed.config, lambda: zero, known=lambda _: None)
    change = split_change(zero, source, viewed.config.task.genome_files, gate.read)
    if not change.edits:
        raise UsageError(f"Individual {id_} is the same program as generation 0, so it has no edits to ablate.")
    return change


def _conclude(complete: bool) -> None:
    if not complete:
        typer.echo("evo: interrupted. The measurements are kept: the same command resumes.", err=True)
        raise typer.Exit(1)
