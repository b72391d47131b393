"""The command line, one file a group of commands. Importing it stays light: each command imports its work when it runs.

    options   what several commands share: arguments, the catching of errors, JSON output
    run       run, resume
    data      prepare
    look      status, best, show, diff, lineage, pareto
    output    export, report
    health    check, doctor

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 the run or the machine failed or a run ended
short of its budget, 2 the input was wrong and nothing was written.
"""

from __future__ import annotations

import sys

import typer

from evo.commands import data, run
from trainer.errors import EvoError

app = typer.Typer(
    name="evo",
    help="Breed better training scripts: an evolutionary search with a language model as mutation and crossover.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for group in (run, data):
    group.register(app)


def main() -> None:
    """Run the command line; the one place where errors of the product become messages."""
    try:
        app()
    except EvoError as error:
        sys.stderr.write(f"evo: {error}\n")
        sys.exit(error.exit_code)
