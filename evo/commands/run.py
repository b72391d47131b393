"""`evo run` and `evo resume`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo.commands.following import (
    DashboardOption,
    EventsOption,
    Following,
    NotifyAtOption,
    NotifyOption,
    PortOption,
    TrackOption,
)
from evo.commands.options import comma_separated, example, is_ladder, named_weights
from trainer.errors import UsageError

if TYPE_CHECKING:
    from evo.config.config import Config
    from evo.config.resolved import ResolvedConfig
    from evo.search.stopping import Stopped

_RUN_EXAMPLE = example(
    """
    evo run --pop 16 --gens 40
    evo run train.py --budget 60 --out runs/tonight
    evo run --operators llm_mutation=3,random=1 --max-cost 20
    """,
    "The budget is pop × gens evaluations, including the replicates of generation 0 and the confirmation of the "
    "finalists. Ctrl-C saves and stops; `evo resume RUN` continues with the same next decision.",
)
_RESUME_EXAMPLE = example(
    """
    evo resume runs/2026-11-21-220000
    evo resume runs/2026-11-21-220000 --gens 60
    """,
    "--gens is the total: a finished run of 40 generations continues for 20 more.",
)

_Pop = Annotated[int | None, typer.Option("--pop", help="Population size. [default: 16]")]
_Gens = Annotated[int | None, typer.Option("--gens", help="Total number of generations. [default: 40]")]
_MoreGens = Annotated[int | None, typer.Option("--gens", help="Total number of generations. [default: the run's]")]
_Budget = Annotated[
    float | None,
    typer.Option("--budget", help="Training seconds per evaluation. [default: 300 on a GPU, 30 on the CPU]"),
]
_Operators = Annotated[
    str | None, typer.Option("--operators", help="Operators, comma-separated, with optional weights: random=2,merge=1.")
]
_Adaptive = Annotated[
    bool | None, typer.Option("--adaptive", help="Adapt operator probabilities to improvement per cost.")
]
_MaxCost = Annotated[
    float | None, typer.Option("--max-cost", help="Spending limit for the language model, US dollars.")
]
_Workers = Annotated[
    str | None,
    typer.Option(
        "--workers",
        help="Parallel evaluations here [default: one per GPU, else 1]; or a Ray cluster: auto or ray://HOST:PORT.",
    ),
]
_MaxHours = Annotated[
    float | None, typer.Option("--max-hours", help="Stop after this wall time, including the confirmation.")
]
_Target = Annotated[
    float | None, typer.Option("--target", help="Stop when the best mean of the first objective reaches this.")
]
_Patience = Annotated[int | None, typer.Option("--patience", help="Stop after this many results without improvement.")]
_ExploreAfter = Annotated[
    int | None,
    typer.Option("--explore-after", help="Explore after this many results without improvement; 0: never."),
]
_Sandbox = Annotated[
    str | None,
    typer.Option(
        "--sandbox",
        help="auto (strongest level that works), strict (bubblewrap or refuse to start), or a level.",
    ),
]
_Devices = Annotated[str | None, typer.Option("--devices", help="cpu, mps, or GPU indices or UUIDs, comma-separated.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(epilog=_RUN_EXAMPLE)(run)
    app.command(epilog=_RESUME_EXAMPLE)(resume)


def run(
    genome: Annotated[
        str, typer.Argument(metavar="GENOME", help="The training script to start from. [default: built in]")
    ] = "",
    genome_option: Annotated[
        str,
        typer.Option(
            "--genome", metavar="NAME", help="The same as a flag: textbook (a plain GPT that is built in), or a file."
        ),
    ] = "",
    seed_genome: Annotated[
        list[str] | None,
        typer.Option(
            "--seed-genome",
            metavar="FILE",
            help="A further program to start from; may be repeated. The first is generation 0 if no GENOME is given.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the run. [default: runs/<date>]")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="Configuration file; flags override it. [default: ./evo.toml]")
    ] = None,
    pop: _Pop = None,
    gens: _Gens = None,
    budget: _Budget = None,
    operators: _Operators = None,
    adaptive: _Adaptive = None,
    objectives: Annotated[
        str | None, typer.Option("--objectives", help="Objectives, comma-separated; two or more use NSGA-II.")
    ] = None,
    islands: Annotated[
        int | None, typer.Option("--islands", help="Number of subpopulations that breed separately.")
    ] = None,
    descriptors: Annotated[
        str | None,
        typer.Option("--descriptors", help="MAP-Elites descriptors, comma-separated: depth,optimizer,parameters."),
    ] = None,
    explore_after: _ExploreAfter = None,
    schedule: Annotated[
        str | None, typer.Option("--schedule", help="asynchronous or generational. [default: asynchronous]")
    ] = None,
    clock: Annotated[
        str | None,
        typer.Option("--clock", help="Clock of the training budget: wall time, or cpu time of the candidate."),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="Dataset of the built-in task; see `evo prepare --help`.")
    ] = None,
    vocab_size: Annotated[
        int | None, typer.Option("--vocab-size", help="Size of the BPE vocabulary. [default: 2048]")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Random seed of the search. [default: 0]")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Language models, comma-separated, with optional weights: a=2,b=1. [default: claude-sonnet-5-5]",
        ),
    ] = None,
    program: Annotated[
        str | None, typer.Option("--program", help="File with your instructions to the model, such as program.md.")
    ] = None,
    max_cost: _MaxCost = None,
    max_hours: _MaxHours = None,
    target: _Target = None,
    patience: _Patience = None,
    workers: _Workers = None,
    devices: _Devices = None,
    reference_device: Annotated[
        str | None,
        typer.Option(
            "--reference-device",
            help="With unequal GPUs: UUID or model of the one that sets the scale of values. [default: most frequent]",
        ),
    ] = None,
    sandbox: _Sandbox = None,
    events: EventsOption = None,
    dashboard: DashboardOption = False,
    dashboard_port: PortOption = None,
    track: TrackOption = None,
    notify: NotifyOption = None,
    notify_at: NotifyAtOption = None,
) -> None:
    """Evolve a training script, or the task in ./evo.toml."""
    from evo.config.options import RUNS, RunOptions, new_run_config, new_run_folder, refuse_project_without_task

    genome = _one_genome(genome, genome_option)
    if config is None and not (genome or seed_genome) and dataset is None:
        refuse_project_without_task(Path())
    options = RunOptions(
        pop=pop,
        gens=gens,
        budget=budget,
        operators=named_weights("--operators", operators),
        adaptive=adaptive,
        objectives=comma_separated("--objectives", objectives),
        islands=islands,
        descriptors=comma_separated("--descriptors", descriptors),
        explore_after=explore_after,
        schedule=schedule,
        seed_genomes=seed_genome,
        clock=clock,
        dataset=dataset,
        vocab_size=vocab_size,
        seed=seed,
        model=named_weights("--model", model),
        program=program,
        max_cost=max_cost,
        max_hours=max_hours,
        target=target,
        patience=patience,
        workers=workers,
        devices=comma_separated("--devices", devices),
        reference_device=reference_device,
        sandbox=sandbox,
    )
    following = Following.asked(events, dashboard_port, track, notify, notify_at, dashboard=dashboard)
    # Reports configuration errors before the slow imports.
    resolved = new_run_config(genome, config, options)
    if out is None:
        from evo.runs.repository import ignore

        ignore(RUNS)
    with new_run_folder(out) as folder:
        _start(resolved, folder, following)


def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
    gens: _MoreGens = None,
    max_cost: _MaxCost = None,
    max_hours: _MaxHours = None,
    target: _Target = None,
    patience: _Patience = None,
    operators: _Operators = None,
    workers: _Workers = None,
    devices: _Devices = None,
    sandbox: _Sandbox = None,
    events: EventsOption = None,
    dashboard: DashboardOption = False,
    dashboard_port: PortOption = None,
    track: TrackOption = None,
    notify: NotifyOption = None,
    notify_at: NotifyAtOption = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Accept an edited config.toml and record the change.")
    ] = False,
) -> None:
    """Continue a stopped, killed or finished run."""
    from evo.commands.views.live import LiveView
    from evo.config.config import Config
    from evo.config.options import ResumeOptions, resumed_config
    from evo.runs.folder import RunFolder
    from evo.runs.lifecycle import read_config, resume

    if is_ladder(run):
        raise UsageError(f"{run} is a ladder. Continue it with the command that began it: evo ladder FILE --out {run}")
    options = ResumeOptions(
        gens=gens,
        operators=named_weights("--operators", operators),
        max_cost=max_cost,
        max_hours=max_hours,
        target=target,
        patience=patience,
        workers=workers,
        devices=comma_separated("--devices", devices),
        sandbox=sandbox,
    )

    def change(stored: Config) -> ResolvedConfig:
        return resumed_config(stored, options)

    view = LiveView(change(read_config(RunFolder.open(run), Config, with_edits=accept_changes)), run)
    following = Following.asked(events, dashboard_port, track, notify, notify_at, dashboard=dashboard)
    with following.of(run, view) as observer:
        with view:
            stopped = resume(run, observer, change, accept_changes=accept_changes, progress=view.preparing)
        _conclude(run, stopped, following)


def _start(config: ResolvedConfig, path: Path, following: Following) -> None:
    """Start a new run and print its result."""
    from evo.commands.views.live import LiveView
    from evo.runs.lifecycle import start

    view = LiveView(config, path)
    with following.of(path, view) as observer:
        with view:
            stopped = start(config, path, observer, view.preparing)
        _conclude(path, stopped, following)


def _conclude(path: Path, stopped: Stopped, following: Following) -> None:
    """Write the report, print the result, and exit with 1 unless the run ended by one of its own rules.

    Where stdout has the events, the result goes to stderr.
    """
    from evo.commands.views.summary import print_summary
    from evo.commands.views.terminal import stderr_console, stdout_console
    from evo.errors import ReportError
    from evo.report.writing import write_report
    from evo.runs.lifecycle import view
    from evo.search.event_log import STDOUT

    with view(path) as viewed:
        try:
            write_report(viewed)
        except ReportError as error:  # the results are safe, so print the summary all the same
            typer.echo(f"evo: {error}", err=True)
        console = stderr_console() if following.events == STDOUT else stdout_console()
        print_summary(console, viewed, stopped.stop_reason)
    if stopped.stop_reason != "complete":
        command = f"evo resume {shlex.quote(str(path))}" + (
            " --max-cost DOLLARS" if stopped.stop_reason == "cost_limit" else ""
        )
        typer.echo(f"evo: stopped early: {stopped.reason.rstrip('.')}. Continue with: {command}", err=True)
    if not stopped.stop_reason.is_by_rule:
        raise typer.Exit(1)


def _one_genome(argument: str, option: str) -> str:
    if argument and option:
        raise UsageError(f"Expected one genome to start from, but got {argument} and --genome {option}. Omit one.")
    return argument or option
