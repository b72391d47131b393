"""`evo.ladder`: what the command of this name does."""

from __future__ import annotations

from pathlib import Path

from evo.scales.definition import define
from evo.scales.running import LADDERS, climb
from evo.scales.standing import LadderState
from evo.scales.view import View


def ladder(file: str | Path = "evo.toml", *, out: str | Path | None = None) -> LadderState:
    """Search at small scales first and promote what wins to larger ones, as the command `evo ladder` does.

    Ctrl-C stops after saving, and the same call resumes.

    Args:
        file: of a project, with the table `[ladder]`.
        out: the ladder's folder; `ladders/<its name>` by default.

    Raises:
        UsageError: the input is wrong, or something else was begun in the folder.
        MachineError: a device, a disk or a worker failed; the same call resumes.
    """
    definition = define(Path(file))
    state, _ = climb(definition, LADDERS / definition.ladder.name if out is None else Path(out), View())
    return state
