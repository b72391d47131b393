"""The pages of `man evo`: every command, every option, and nothing that man would take for an instruction."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from evo.commands import app
from evo.commands.manual import install_manual, manual_pages
from trainer.errors import MachineError

PAGES = manual_pages(app, "1.2.3")
GROUP: Any = typer.main.get_command(app)


def test_every_command_has_a_page_with_its_options_and_examples() -> None:
    assert [*PAGES] == ["evo.1", *(f"evo-{name}.1" for name in GROUP.commands)]
    for name, command in GROUP.commands.items():
        page = PAGES[f"evo-{name}.1"]
        for parameter in command.params:
            if parameter.param_type_name == "option" and not parameter.hidden:
                assert parameter.opts[0].replace("-", "\\-") in page
        assert ".SH EXAMPLES" in page
        assert f"\\fBevo {name}\\fR".replace("-", "\\-") in PAGES["evo.1"]


@pytest.mark.skipif(not shutil.which("groff"), reason="groff formats the pages")
def test_a_formatter_has_nothing_to_complain_of() -> None:
    command = ["groff", "-k", "-man", "-ww", "-Tutf8"]
    done = subprocess.run(command, input="".join(PAGES.values()), capture_output=True, encoding="utf-8", check=True)
    assert done.stderr == ""


def test_text_is_no_instruction() -> None:
    strange = typer.Typer()

    @strange.command()
    def first(name: str = typer.Option("", help="'quoted'\n.SH \\fB --flag")) -> None:
        """.so /etc/passwd and `so` on."""

    @strange.command()
    def second() -> None:
        """Go on."""

    page = manual_pages(strange, "1")["evo-first.1"]
    assert "\n.so" not in page
    assert "\\&.so /etc/passwd and \\(gaso\\(ga on." in page
    assert "\\(aqquoted\\(aq .SH \\efB \\-\\-flag" in page


def test_the_pages_stand_beside_the_folder_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "evo"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    folder = install_manual(app, "1")
    assert folder == tmp_path / "share" / "man" / "man1"
    assert {path.name for path in folder.iterdir()} == {*PAGES}
    assert install_manual(app, "1") == folder
    shutil.rmtree(tmp_path / "share")
    (tmp_path / "share").write_text("")
    with pytest.raises(MachineError, match="could not be written to"):
        install_manual(app, "1")
