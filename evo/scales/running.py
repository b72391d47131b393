"""A ladder from its definition to its report: what the command and the Python interface do."""

from __future__ import annotations

from pathlib import Path

from evo.scales.bench import Bench
from evo.scales.climbing import Climbing
from evo.scales.definition import Definition
from evo.scales.folder import LadderFolder
from evo.scales.preparation import begin, prepared, require_operators
from evo.scales.report import write_report
from evo.scales.standing import LadderState, read_ladder_state
from evo.scales.view import View

LADDERS = Path("ladders")
"""Where ladders are kept unless another folder is named."""


def climb(definition: Definition, path: Path, view: View) -> tuple[LadderState, str]:
    """Do what is missing of a ladder and report; return what stands, and why it is not complete, or nothing.

    Everything that can be wrong with the input is found before a search begins.

    Args:
        definition: of the ladder.
        path: of its folder.
        view: watches.
    """
    require_operators(definition)
    materials = prepared(definition, view)
    folder = LadderFolder(path)
    with folder.lock():
        begin(definition, folder, materials)
        climbing = Climbing(definition, folder, Bench(definition, folder, materials, view), view)
        is_complete = climbing.run()
        state = read_ladder_state(path)
        write_report(state)
    return state, "" if is_complete else climbing.halted
