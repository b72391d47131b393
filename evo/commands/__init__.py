"""The command line, one file per group of commands. Each command imports what it needs when it runs.

    init      init
    run       run, resume
    data      prepare
    look      status, workers, best, show, diff, lineage, pareto
    output    export, report
    plot      plot
    dashboard dashboard
    steer     pause, continue, stop, hint, pin, ban, release, inject, import, again, weights, extend
    apply     apply
    studies   ablate, promote
    compare   compare
    ladder    ladder
    health    check, doctor
    rehearse  rehearse
    audit     audit
    assistants  mcp, skill
    following what follows a run beside the terminal: events, dashboard, trackers, notifications
    manual    the pages of `man evo`
    streams   output where the terminal cannot show every character
    options   shared by several commands: arguments for runs and individuals, examples in the help, JSON output
    views/    formatting for the terminal

Results go to stdout, everything else to stderr. Exit codes: 0 success; 1 the run or the machine failed, or a run ended
early; 2 invalid input, nothing was written.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from evo.commands import (
    apply,
    assistants,
    audit,
    compare,
    dashboard,
    data,
    health,
    init,
    ladder,
    look,
    output,
    plot,
    rehearse,
    run,
    steer,
    studies,
)
from evo.commands.options import CommandLine
from evo.commands.streams import substitute_what_cannot_be_shown
from trainer.errors import EvoError, MachineError, refusal

app = CommandLine(
    name="evo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for group in (
    init,
    run,
    data,
    look,
    output,
    plot,
    dashboard,
    steer,
    apply,
    studies,
    compare,
    ladder,
    health,
    audit,
    rehearse,
    assistants,
):
    group.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"evo {version('evo-train')}")
        raise typer.Exit


def _install_manual(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from evo.commands.manual import install_manual

        typer.echo(f"the manual is in {install_manual(app, version('evo-train'))}; read it: man evo, man evo-run")
        raise typer.Exit


@app.callback()
def evo(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    install_man: Annotated[
        bool,
        typer.Option("--install-man", callback=_install_manual, is_eager=True, help="Install the pages of `man evo`."),
    ] = False,
) -> None:
    """Evolve training scripts, with a language model and classical operators as mutation and crossover."""


_INTERRUPTED = 130
"""Exit code of typer after Ctrl-C in a command that does not handle it itself."""


_NO_THREAD = "can't start new thread"
"""What Python says where the system allows no more threads; it is no OSError."""


def main() -> None:
    """Run the command line; the only place that turns `EvoError`, and what the system refuses, into a message."""
    substitute_what_cannot_be_shown()
    _have_a_home()
    # Else OpenBLAS starts one for each core, and ends a process that may not have so many.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        app()
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            sys.stderr.write("evo: interrupted. Continue a started run with: evo resume RUN\n")
            sys.exit(1)
        raise
    except EvoError as error:
        from evo.text import visible

        sys.stderr.write(f"evo: {visible(str(error))}\n")  # it may repeat names that others gave
        sys.exit(error.exit_code)
    except OSError as error:
        sys.stderr.write(f"evo: {refusal(error)}\n")
        sys.exit(MachineError.exit_code)
    except RuntimeError as error:
        if str(error) != _NO_THREAD:
            raise
        sys.stderr.write(f"evo: {refusal(OSError(errno.EAGAIN, 'No thread can be started'))}\n")
        sys.exit(MachineError.exit_code)


def _have_a_home() -> None:
    """Take `/` as the home of a user whom the system does not know, as container engines do."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = "/"
