"""`evo init`: turn a project into a task."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from evo.commands.options import Json, example, print_json, write_file
from trainer.errors import UsageError, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evo.config.resolved import ResolvedConfig
    from evo.project.found import Found
    from trainer.evaluation import Evaluation

_EXAMPLE = example(
    """
    evo init
    evo init --metric val_loss:min --command "python train.py --small"
    evo init --from path/to/autoresearch
    evo init --smoke "python train.py --steps 2"
    evo init --score
    evo init --check
    evo init --example kernel
    """,
    "Inspects the project in this folder, runs its program once in the sandbox to read what it prints, and writes "
    "evo.toml and program.md. An existing program.md is kept. A question that only you can answer is printed; evo.toml "
    "is a draft then, and the exit code is 1. With --from, the project stays untouched and the files are written here. "
    "--score also drafts score.py, a trusted program that scores what the command leaves; complete it first. "
    "--check tries generation 0 as `task.smoke` says, evaluates it with two seeds, as evo.toml describes it, estimates "
    "how long a run takes, and exits with 1 if any of that fails. --example copies a worked example into this folder "
    "(digits, kernel, prompt, textbook and others) and replaces no file.",
)

_MOST_CONSTANTS = 8  # that are named
_MOST_PROTECTED = 30  # likewise
_ALIKE = (
    "two seeds gave the same: unless another seed changes something, the noise is unknown, and no gain counts as "
    "beyond it. Take the seed from EVO_SEED or name where it stands in `task.seed`; or set `task.noise = "
    '"none"` if the program is deterministic by nature.'
)
_SHARED = (
    "self-reported; the genome holds its own evaluation, in {}. A score command measures instead; draft one: evo init "
    "--score --force"
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=_EXAMPLE)(init)


def init(
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Folder of the project. [default: this folder]")
    ] = None,
    genome: Annotated[
        list[str] | None,
        typer.Option("--genome", metavar="FILE", help="File to evolve; repeat for several files."),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            "--objective",
            metavar="NAME[=PATTERN][:max|min]",
            help="Metric to optimize; PATTERN is a regular expression with one group, around the number.",
        ),
    ] = None,
    command: Annotated[
        str | None, typer.Option("--command", metavar="COMMAND", help="Command that starts the program.")
    ] = None,
    smoke: Annotated[
        str | None,
        typer.Option(
            "--smoke",
            metavar="COMMAND",
            help="Short command that tests whether the program runs; every offspring is tested with it.",
        ),
    ] = None,
    run: Annotated[bool, typer.Option("--run/--no-run", help="Run the program once to read what it prints.")] = True,
    run_seconds: Annotated[
        float, typer.Option("--run-seconds", min=0.1, help="Stop that run after so many seconds.")
    ] = 60.0,
    score: Annotated[
        bool, typer.Option("--score", help="Draft score.py, so that the metric is measured and not self-reported.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing evo.toml.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Evaluate generation 0 with the existing evo.toml.")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", help="File that --check uses. [default: ./evo.toml]")
    ] = None,
    example_name: Annotated[
        str | None, typer.Option("--example", metavar="NAME", help="Copy a worked example into this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write evo.toml for your project, or try it once."""
    given = {
        "--from": source,
        "--genome": genome or None,
        "--metric": metric,
        "--command": command,
        "--smoke": smoke,
        "--score": score or None,
        "--force": force or None,
    }
    if example_name is not None:
        _refuse({**given, "--config": config, "--check": check or None}, "--example")
        _copy_example(example_name, as_json)
        return
    if check:
        _refuse(given, "--check")
        _check(config, as_json)
        return
    _refuse({"--config": config}, "evo init without --check")
    if score:
        _refuse({"--from": source}, "--score, which writes into the project")
    _refuse_existing(force)
    _refuse_folder(source or Path())
    seconds = run_seconds if run else None
    found = _examined(source or Path(), genome or [], metric, command, seconds, smoke)
    if smoke is not None and found.is_language_model:
        raise UsageError("--smoke is for a script: the built-in task needs no command for its smoke runs. Omit it.")
    drafted = _draft_score(found) if score and found.question is None else []
    if drafted:
        found = _examined(found.root, list(found.genome), found.objectives[0].name, command, None, smoke)
    _write(found, drafted, as_json=as_json)


def _copy_example(name: str, as_json: bool) -> None:
    from evo.project.example import copy_example, next_commands

    files = copy_example(name, Path())
    if as_json:
        print_json({"example": name, "written": files})
    else:
        typer.echo(f"wrote {', '.join(files)}. Next: {next_commands(Path(), files)}")


def _refuse(options: dict[str, Any], where: str) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise UsageError(f"{given[0]} cannot be combined with {where}. Omit one of them.")


def _refuse_existing(force: bool) -> None:
    from evo.config.reading import is_draft
    from evo.project.writing import CONFIG

    if Path(CONFIG).exists() and not force and not is_draft(Path(CONFIG)):
        raise UsageError(f"{CONFIG} already exists. Try it: evo init --check; or replace it: evo init --force")


def _refuse_folder(source: Path) -> None:
    """Refuse a folder that cannot be written to before the program runs."""
    if not os.access(Path(), os.W_OK):
        command = f"evo init --from {shlex.quote(str(source.resolve()))}"
        raise UsageError(f"{Path.cwd()} cannot be written to. In a folder of yours: {command}")


def _examined(
    source: Path,
    genome: list[str],
    metric: str | None,
    command: str | None,
    seconds: float | None,
    smoke: str | None,
) -> Found:
    """Return what is found; the program runs for `seconds` at most, or not at all."""
    from evo.project.examine import examine
    from evo.project.first_run import first_run
    from evo.project.found import FirstRun, Given
    from evo.text import visible

    def run(found: Found) -> tuple[FirstRun, tuple[Given, ...]]:
        assert seconds is not None  # noqa: S101 - not called otherwise
        words = visible(shlex.join(found.command))
        typer.echo(f"evo: running {words} once in the sandbox, at most {seconds:g} s (--no-run omits this)", err=True)
        return first_run(found, seconds)

    return examine(source, genome, metric, command, run=None if seconds is None else run, smoke=smoke)


def _write(found: Found, drafted: list[str], *, as_json: bool) -> None:
    """Write the files beside those drafted before; exit with 1 after a draft of evo.toml."""
    from evo.config.options import RUNS
    from evo.project.writing import CONFIG, PROGRAM, config_text, program_text, refuse_invalid, seen_from
    from evo.runs.repository import ignore

    here = Path()
    kept = found.root / found.program if found.program else Path(PROGRAM)
    text = config_text(found, here, seen_from(here, kept))
    refuse_invalid(text, found)
    written = [*drafted, CONFIG]
    if not kept.exists() and found.question is None:
        write_file(kept, program_text(found).encode())
        written.append(PROGRAM)
    write_file(Path(CONFIG), text.encode())
    ignore(RUNS)
    if as_json:
        print_json(_as_data(found, written))
    elif found.question is None:
        _tell(found, written, kept)
    if found.question is not None:
        typer.echo(f"evo: {_one_line(found.question.text)} ({CONFIG} is a draft)", err=True)
        raise typer.Exit(1)


def _draft_score(found: Found) -> list[str]:
    """Write the draft of a score command; return the name of the file."""
    from evo.project.writing import SCORE, score_text

    if found.is_language_model or found.score:
        raise UsageError("--score drafts a trusted program for a script that reports itself, but this task has one.")
    path = found.root / SCORE
    if path.exists():
        raise UsageError(f"--score writes {SCORE}, but it exists. Let it read $EVO_ARTIFACTS, or move it away.")
    write_file(path, score_text(found).encode())
    return [SCORE]


def _as_data(found: Found, written: list[str]) -> dict[str, Any]:
    """Return the findings as plain data."""
    data = {**asdict(found), "root": str(found.root.resolve()), "written": written}
    for name in ("objectives", "others", "choices"):
        data[name] = [
            {
                "name": one.name,
                "direction": one.direction.value,
                "guessed": one.is_guessed,
                "pattern": one.pattern,
                "take": one.take,
                "json": one.json_file,
                "key": one.key,
                "where": one.where,
                "required": name == "objectives" and one is found.objectives[0],
            }
            for one in getattr(found, name)
        ]
    return data


def _tell(found: Found, written: list[str], program: Path) -> None:
    from evo.commands.views.terminal import literal, print_whole, shell_word, stdout_console
    from evo.project.writing import PROGRAM, SCORE
    from evo.text import listed

    console = stdout_console()
    facts = {"genome": ", ".join(found.genome)}
    if found.is_language_model:
        facts["task"] = "built in: build_model and train"
    else:
        facts["layout"] = "autoresearch" if found.is_autoresearch else ""
        facts["command"] = shlex.join(found.command)
        facts["smoke"] = shlex.join(found.smoke)
        facts["score"] = shlex.join(found.score)
        for number, one in enumerate(found.objectives):
            facts["objective" if not number else f"and {one.name}"] = (
                f"{one.name if not number else ''} {one.direction.value}, {one.where}".strip()
            )
        facts["constants"] = f"{len(found.constants)}: {', '.join(found.constants[:_MOST_CONSTANTS])}".rstrip(": ")
        facts["protected"] = listed([one.name for one in found.protect], _MOST_PROTECTED)
        if len(found.protect) > _MOST_PROTECTED:
            facts["protected"] += ", in evo.toml"
        facts["frozen"] = ", ".join(one.name for one in found.frozen)
        facts["fixed time"] = f"{found.fixed.seconds:g} s, {found.fixed.where}" if found.fixed else ""
        facts["seed"] = found.seed or "none"
    for name, fact in facts.items():
        if fact:
            print_whole(console, f"{literal(name):<12} {literal(fact)}")
    for note in found.notes:
        print_whole(console, f"[yellow]note[/]         {literal(note)}")
    if found.shared:
        print_whole(console, f"[yellow]note[/]         {literal(_SHARED.format(', '.join(found.shared)))}")
    kept = "" if PROGRAM in written else f"; {shell_word(program)} is unchanged"
    todo = f"complete the TODOs in {SCORE}, then " if SCORE in written else ""
    print_whole(console, f"wrote {' and '.join(written)}{kept}. Next: {todo}evo init --check")


def _check(path: Path | None, as_json: bool) -> None:
    """Evaluate generation 0, with two seeds where they may differ; exit with 1 unless it succeeds."""
    from evo.commands.views.live import preparation_bar
    from evo.config.reading import load_config
    from evo.config.resolution import resolve
    from evo.project.checking import broken, is_alike, run_seconds, trial
    from evo.project.writing import CONFIG
    from trainer.evaluation import Status

    path = path or Path(CONFIG)
    if not path.exists():
        raise UsageError(f"There is no file {path}. Write one: evo init")
    config = resolve(load_config(path))
    with preparation_bar() as progress:
        attempt = trial(config, progress)
    limit = f", at most {config.script.wall_limit_seconds:g} s each" if config.script else ""
    times = "with two seeds" if len(attempt.seeds) > 1 else "once"
    typer.echo(f"evo: {path} is valid; evaluating generation 0 {times}{limit}", err=True)
    smoke, evaluations = attempt.run()
    if not evaluations:
        assert smoke is not None  # noqa: S101 - nothing else leaves generation 0 without an evaluation
        _fail_smoke(smoke, as_json=as_json)
    violated = [str(bound) for bound in broken(config, evaluations[0])]
    failed = evaluations[-1] if evaluations[-1].status is not Status.OK else None
    if as_json:
        facts = {"broken_constraints": violated, "seeds_are_alike": is_alike(config, evaluations)}
        facts |= {"smoke_run": smoke.to_json() if smoke else None}
        others = [one.to_json() for one in evaluations[1:]]
        time = None if failed else run_seconds(config, evaluations)
        print_json({**evaluations[0].to_json(), **facts, "other_seeds": others, "expected_run_seconds": time})
    elif failed is None:
        _tell_measured(config, evaluations, violated, path, smoke)
    if failed is not None:
        _tell_failure(failed, " with another seed" if len(evaluations) > 1 else "")
        raise typer.Exit(1)


def _fail_smoke(smoke: Evaluation, *, as_json: bool) -> NoReturn:
    if as_json:
        print_json({**smoke.to_json(), "smoke_run": smoke.to_json()})
    _tell_failure(smoke, " in its smoke run")
    raise typer.Exit(1)


def _tell_failure(evaluation: Evaluation, when: str) -> None:
    """Print all that is kept of what the program printed, then why it failed."""
    from evo.text import visible

    for line in evaluation.log_tail.rstrip().split("\n"):
        typer.echo(f"  | {visible(line)}", err=True)
    typer.echo(f"evo: generation 0 ended {evaluation.status}{when}: {_one_line(evaluation.reason)}", err=True)


def _tell_measured(
    config: ResolvedConfig,
    evaluations: Sequence[Evaluation],
    violated: list[str],
    path: Path,
    smoke: Evaluation | None,
) -> None:
    from evo.commands.views.terminal import literal, print_whole, shell_word, stdout_console
    from evo.project.checking import is_alike, run_seconds
    from evo.project.writing import CONFIG
    from evo.text import duration

    console = stdout_console()
    for name in evaluations[0].objectives:
        objective = config.task.measured[name]
        values = " and ".join(
            dict.fromkeys(f"{one.objectives[name]:g}" for one in evaluations if name in one.objectives)
        )
        print_whole(console, f"{literal(objective.label)}: {values} {literal(objective.unit)}".rstrip())
    if smoke is not None:
        print_whole(console, f"smoke run: {smoke.timings.total_seconds:.1f} s")
    for bound in violated:
        print_whole(console, f"[yellow]note[/] {literal(bound)} is violated: generation 0 is infeasible")
    if is_alike(config, evaluations):
        print_whole(console, f"[yellow]note[/] {literal(_ALIKE)}")
    takes = duration(run_seconds(config, evaluations))
    workers = counted(len(config.devices), "worker")
    evaluated = counted(config.search.evaluations, "evaluation")
    print_whole(console, f"A run of {evaluated} takes about {takes} on {workers}.")
    file = shell_word(path)
    command = "evo run" if path == Path(CONFIG) else f"evo run --config {file}"
    print_whole(console, f"{file} works (sandbox: {evaluations[0].sandbox}). Next: {command}")


def _one_line(text: str) -> str:
    from evo.text import visible

    return visible(" ".join(text.split()))
