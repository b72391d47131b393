"""The pages of `man evo`, made from the help of every command."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from evo.files import replace_file
from trainer.errors import MachineError

_SECTION = "1"
_EXIT_CODES = {
    "0": "the command did what it says; a run ended by one of its own rules",
    "1": "the run or the machine failed, or the run ended early; evo resume continues it",
    "2": "the input was wrong, and nothing was written",
}


def manual_pages(app: typer.Typer, version: str) -> Mapping[str, str]:
    """Return the pages in the format of man(7), by their files' names: one of all commands, and one of each."""
    group: Any = typer.main.get_command(app)  # of click, which typer brings its own copy of since 0.29
    names = [f"evo-{name}" for name in group.commands]
    pages = {"evo": _page("evo", group, version, [*_listing(group), *_exit_status(), *_see_also(names)])}
    for name, command in group.commands.items():
        pages[f"evo-{name}"] = _page(f"evo {name}", command, version, [*_exit_status(), *_see_also(["evo"])])
    return {f"{name}.{_SECTION}": text for name, text in pages.items()}


def install_manual(app: typer.Typer, version: str) -> Path:
    """Write the pages where `man` looks for those of the `evo` that the shell finds; return the folder.

    Raises:
        MachineError: they cannot be written there.
    """
    # Not where a link leads: man looks beside the folders of PATH.
    found = shutil.which("evo")
    prefix = Path(found).absolute().parents[1] if found else Path(sys.prefix)
    folder = prefix / "share" / "man" / f"man{_SECTION}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in manual_pages(app, version).items():
            replace_file(folder / name, text)
    except OSError as error:
        raise MachineError(f"The manual could not be written to {folder}: {error.strerror}.") from error
    return folder


def _page(name: str, command: Any, version: str, end: Sequence[str]) -> str:
    context = command.context_class(command, info_name=name)
    summary, *_ = (command.help or "").partition("\n\n")
    usage = " ".join(command.collect_usage_pieces(context))
    title = name.upper().replace(" ", "\\-")
    lines = [
        f'.TH "{title}" "{_SECTION}" "" "evo {version}" "evo"',
        *_titled("NAME", [f"{_text(name.replace(' ', '-'))} \\- {_text(' '.join(summary.split()).rstrip('.'))}"]),
        *_titled("SYNOPSIS", [f"\\fB{_text(name)}\\fR {_text(usage)}"]),
        *_titled("DESCRIPTION", list(_paragraphs(command.help or ""))),
    ]
    for heading, kind in (("ARGUMENTS", "argument"), ("OPTIONS", "option")):
        entries = [one for one in command.get_params(context) if one.param_type_name == kind]
        lines += _titled(heading, [line for one in entries for line in _entry(one.get_help_record(context))])
    return "\n".join([*lines, *_titled("EXAMPLES", list(_paragraphs(command.epilog or ""))), *end]) + "\n"


def _titled(heading: str, lines: Sequence[str]) -> list[str]:
    return [f".SH {heading}", *lines] if lines else []


def _entry(record: tuple[str, str] | None) -> Iterator[str]:
    """Yield an argument or option with what it means; hidden ones have no record."""
    if record:
        yield from (".TP", f"\\fB{_text(record[0])}\\fR", _text(" ".join(record[1].split())) or "\\&")


def _paragraphs(text: str) -> Iterator[str]:
    """Yield paragraphs; one that begins with a backspace keeps its lines, as in the help."""
    for paragraph in filter(str.strip, re.split(r"\n\s*\n", text)):
        yield ".PP"
        if "\b" not in paragraph:
            yield _text(" ".join(paragraph.split()))
            continue
        yield ".nf"
        yield from (_text(line) for line in paragraph.replace("\b", "").strip("\n").split("\n") if line != "Example:")
        yield ".fi"


def _listing(group: Any) -> list[str]:
    lines: list[str] = []
    for name, command in group.commands.items():
        summary = " ".join((command.help or "").partition("\n\n")[0].split())
        lines += [".TP", f"\\fBevo {_text(name)}\\fR", _text(summary)]
    return _titled("COMMANDS", lines)


def _exit_status() -> list[str]:
    return _titled("EXIT STATUS", [line for code, text in _EXIT_CODES.items() for line in (".TP", code, _text(text))])


def _see_also(names: Sequence[str]) -> list[str]:
    return _titled("SEE ALSO", [", ".join(f"\\fB{_text(name)}\\fR({_SECTION})" for name in sorted(names))])


def _text(text: str) -> str:
    """Return a line as text: no character of it is an instruction to man."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped
