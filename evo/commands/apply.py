"""`evo apply`: commit an individual in the user's repository."""

from __future__ import annotations

import typer

from evo.commands.options import Json, RunAndId, example, individual, opened, print_json, run_and_ids


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        epilog=example(
            "evo apply\nevo apply runs/2026-11-21-220000 12",
            "The branch is evo/<name of the run> and starts at HEAD. Your work tree, index and HEAD do not change.",
        )
    )(apply)


def apply(run_and_id: RunAndId = None, as_json: Json = False) -> None:
    """Commit an individual to a branch of your own repository.

    By default the best individual, in the repository that generation 0 came from.
    """
    from evo.commands.views.terminal import print_whole, shell_word, stdout_console
    from evo.runs.apply import apply_individual

    run, names = run_and_ids(run_and_id)
    with opened(run) as viewed:
        record = individual(viewed, *names)
        applied = apply_individual(viewed, record)
    if as_json:
        print_json(
            {
                "individual": record.id,
                "repository": str(applied.repository),
                "branch": applied.branch,
                "commit": applied.commit,
                "parent": applied.parent,
                "new": applied.is_new,
            }
        )
        return
    console, place = stdout_console(), f"git -C {shell_word(applied.repository)}"
    how = "is" if applied.is_new else "is already"
    print_whole(console, f"#{record.id} {how} commit [bold]{applied.commit[:10]}[/] on branch {applied.branch}")
    print_whole(console, f"show it:     {place} diff HEAD...{applied.branch}")
    print_whole(console, f"check it out: {place} switch {applied.branch}")
