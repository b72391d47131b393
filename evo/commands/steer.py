"""Steering a run: pause, continue, stop, hint, pin, ban, release, inject, import, again, weights, extend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from evo.commands.options import (
    ONE_RUN,
    Json,
    RunAndId,
    RunArgument,
    end_by,
    example,
    individual,
    named_weights,
    opened,
    print_json,
    run_and_ids,
    run_folder,
)
from trainer.errors import UsageError, counted

_NOTE = "A live run applies this within a second, a stopped one when it is resumed. The journal of the run records it."
_RunOption = Annotated[Path | None, typer.Option("--run", help="The same as RUN.", hidden=True)]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(epilog=example("evo pause\nevo pause runs/2026-11-21-220000", _NOTE))(pause)
    app.command("continue", epilog=example("evo continue", _NOTE))(continue_)
    app.command(epilog=example("evo stop", "`evo resume` continues with the same next decision."))(stop)
    app.command(
        epilog=example(
            'evo hint "Try smaller batches."\nevo hint runs/2026-11-21-220000 "Try smaller batches."\nevo hint --clear',
            _NOTE,
        )
    )(hint)
    app.command(epilog=example("evo pin 18\nevo release 18", _NOTE))(pin)
    app.command(epilog=example("evo ban 18\nevo release 18", _NOTE))(ban)
    app.command(epilog=example("evo release 18", _NOTE))(release)
    app.command(epilog=example('evo inject better.py --parent 18 --idea "Warm up longer."', _NOTE))(inject)
    app.command(
        "import",
        epilog=example(
            "evo import --optuna sqlite:///study.db\nevo import --optuna sqlite:///study.db --best 10", _NOTE
        ),
    )(import_)
    app.command(epilog=example("evo again 18\nevo again best --seeds 3", _NOTE))(again)
    app.command(epilog=example("evo weights llm_mutation=3,random=0\nevo weights --reset", _NOTE))(weights)
    app.command(epilog=example("evo extend --gens 60\nevo extend --until 07:00", _NOTE))(extend)


def pause(run: RunArgument = None, as_json: Json = False) -> None:
    """Pause a run.

    Evaluations under way finish, and nothing new starts until `evo continue`.
    """
    _ask(run_folder(run), as_json, "pause")


def continue_(run: RunArgument = None, as_json: Json = False) -> None:
    """Continue a paused run."""
    _ask(run_folder(run), as_json, "continue")


def stop(run: RunArgument = None, as_json: Json = False) -> None:
    """Stop a live run after saving."""
    _ask(run_folder(run), as_json, "stop")


def hint(
    run_and_text: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN TEXT", help=f"{ONE_RUN} and the text that the prompts contain from now on."),
    ] = None,
    run: _RunOption = None,
    clear: Annotated[bool, typer.Option("--clear", help="Withdraw all hints.")] = False,
    as_json: Json = False,
) -> None:
    """Add a dated hint to the prompts of the language model."""
    run, text = _run_and_other(run, run_and_text, clear, 'a hint, such as evo hint "Try smaller batches.", or --clear')
    _ask(run_folder(run), as_json, "hint", text=text.strip())


def pin(run_and_id: RunAndId = None, as_json: Json = False) -> None:
    """Keep an individual as a candidate parent and a finalist."""
    _ask_of_individual("pin", run_and_id, as_json)


def ban(run_and_id: RunAndId = None, as_json: Json = False) -> None:
    """Keep an individual from becoming a parent."""
    _ask_of_individual("ban", run_and_id, as_json)


def release(run_and_id: RunAndId = None, as_json: Json = False) -> None:
    """Undo `evo pin` or `evo ban`."""
    _ask_of_individual("release", run_and_id, as_json)


def inject(
    run_and_program: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN FILE", help=f"{ONE_RUN} and a program, or a folder with the files of a genome of several."
        ),
    ] = None,
    run: _RunOption = None,
    parent: Annotated[str, typer.Option("--parent", help="The individual that it was made from.")] = "best",
    idea: Annotated[str, typer.Option("--idea", help="What it changes, and why.")] = "",
    as_json: Json = False,
) -> None:
    """Add a program of your own to a run.

    Reports at once whether the gate accepts it.
    """
    from evo.runs.steering import read_program

    run, program = _run_and_other(run, run_and_program, False, "a program, such as evo inject better.py")
    with opened(run) as viewed:
        source, before = read_program(viewed, Path(program)), individual(viewed, parent).id
    _ask(viewed.folder.path, as_json, "inject", individual=before, text=source, idea=idea.strip())


def import_(
    storage: Annotated[
        str,
        typer.Option("--optuna", metavar="STORAGE", help="The storage of Optuna with the study: sqlite:///study.db"),
    ],
    run: RunArgument = None,
    study: Annotated[str | None, typer.Option("--study", help="Name of the study. [default: the only one]")] = None,
    parent: Annotated[str, typer.Option("--parent", help="The individual whose constants are set.")] = "0",
    best: Annotated[int, typer.Option("--best", min=1, max=50, help="How many of the best trials.")] = 5,
    as_json: Json = False,
) -> None:
    """Seed the constants of a population from a study of Optuna.

    Each trial becomes a program as by `evo inject`.
    """
    from evo.runs.optuna_study import trial_programs
    from evo.runs.steering import ask, refuse_impossible
    from evo.steering.actions import Action, Verb
    from evo.text import visible

    answers, known = [], 0
    with opened(run) as viewed:
        before = individual(viewed, parent).id
        for program in trial_programs(viewed, storage, study, before, best):
            changes = ", ".join(f"{name} = {value!r}" for name, value in program.set.items())
            idea = f"constants of trial {program.trial} of a study: {changes}"
            action = Action(Verb.INJECT, individual=before, text=program.source, idea=idea)
            try:
                refuse_impossible(viewed, action)
            except UsageError as refusal:
                known += 1
                typer.echo(f"evo: trial {program.trial}: {refusal}", err=True)
                continue
            answers.append(ask(viewed.folder.path, action))
    if as_json:
        print_json([asdict(answer) for answer in answers])
    else:
        typer.echo(
            "\n".join(
                [
                    *(visible(str(answer)) for answer in answers),
                    f"{counted(len(answers), 'trial')} imported, {known} refused",
                ]
            )
        )


def again(
    run_and_id: RunAndId = None,
    seeds: Annotated[int, typer.Option("--seeds", help="How many more seeds.")] = 1,
    as_json: Json = False,
) -> None:
    """Evaluate an individual with more seeds."""
    _ask_of_individual("again", run_and_id, as_json, seeds)


def weights(
    run_and_weights: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN WEIGHTS", help=f"{ONE_RUN} and operators with weights, comma-separated: random=2,merge=0."
        ),
    ] = None,
    run: _RunOption = None,
    reset: Annotated[bool, typer.Option("--reset", help="Return to the configured weights.")] = False,
    as_json: Json = False,
) -> None:
    """Change the operator weights of a run."""
    run, given = _run_and_other(
        run, run_and_weights, reset, "weights, such as evo weights random=2,merge=0, or --reset"
    )
    changed = (named_weights("WEIGHTS", given) or {}) if given else {}
    _ask(run_folder(run), as_json, "weights", weights=changed)


def extend(
    run: RunArgument = None,
    gens: Annotated[int | None, typer.Option("--gens", help="Total number of generations.")] = None,
    evaluations: Annotated[
        int | None, typer.Option("--evaluations", help="Total number of evaluations, in whole generations.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="End by then: 07:00, 2026-12-24T18:00, or never for no such end."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change the budget of a run.

    --gens and --evaluations are totals, as for `evo resume`. A later request replaces this one.
    """
    from evo.runs.steering import generations_of

    if (gens, evaluations, until) == (None, None, None) or (gens is not None and evaluations is not None):
        raise UsageError("Expected --gens or --evaluations, or --until, such as evo extend --gens 60.")
    if evaluations is not None:
        with opened(run) as viewed:
            gens = generations_of(viewed, evaluations)
    _ask(run_folder(run), as_json, "extend", gens=gens, until=end_by(until))


def _run_and_other(
    run: Path | None, words: Sequence[str] | None, is_left_out: bool, expected: str
) -> tuple[Path | None, str]:
    """Split positional arguments into a run, which may be left out, and one other word.

    Args:
        run: that --run names.
        is_left_out: a flag takes the place of the other word, which is empty then.
        expected: names the other word, and says how it is given.

    Raises:
        UsageError: there is no other word, or one too many.
    """
    given = list(words or [])
    other = given.pop() if given and not is_left_out else ""
    runs = [*map(Path, given), *([run] if run else [])]
    if (Path(other) / "evo.db").is_file():
        raise UsageError(f"{other} is a run. Expected {expected}, behind it.")
    if bool(other.strip()) == is_left_out or len(runs) > 1:
        raise UsageError(f"Expected at most one run and {expected}.")
    return next(iter(runs), None), other


def _ask_of_individual(verb: str, run_and_id: list[str] | None, as_json: bool, seeds: int = 1) -> None:
    run, names = run_and_ids(run_and_id)
    if not names:
        raise UsageError(f"Expected the number of an individual or `best`, such as evo {verb} 18.")
    with opened(run) as viewed:
        chosen = individual(viewed, *names).id
    _ask(viewed.folder.path, as_json, verb, individual=chosen, seeds=seeds)


def _ask(path: Path, as_json: bool, verb: str, **fields: Any) -> None:
    """Ask something of a run, with fields of `Action`; print what became of it, and exit with 1 if it was refused."""
    from evo.runs.steering import ask
    from evo.steering.actions import Action, Verb
    from evo.text import visible

    answer = ask(path, Action(Verb(verb), **fields))
    if as_json:
        print_json(asdict(answer))
    else:
        typer.echo(visible(str(answer)))
    if answer.steered is not None and answer.steered.refused:
        raise typer.Exit(1)
