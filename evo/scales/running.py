"""A ladder from its definition to its report: what the command and the Python interface do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evo.runs.assemble import require_operators
from evo.runs.materials import Materials, ScriptFiles, frozen_digests, prepare_materials
from evo.scales.bench import Bench
from evo.scales.climbing import Climbing
from evo.scales.definition import Definition
from evo.scales.folder import LadderFolder
from evo.scales.report import write_report
from evo.scales.standing import LadderState, read_ladder_state
from evo.scales.view import View
from evo.studies.folder import comparable
from evo.text import sha256

LADDERS = Path("ladders")
"""Where ladders are kept unless another folder is named."""


def climb(definition: Definition, path: Path, view: View) -> tuple[LadderState, str]:
    """Do what is missing of a ladder and report; return what stands, and why it is not complete, or nothing.

    Everything that can be wrong with the input is found before a search begins.
    """
    require_operators(scale.config for scale in definition.scales)
    materials = prepared(definition, view)
    folder = LadderFolder(path)
    with folder.lock():
        begin(definition, folder, materials)
        climbing = Climbing(definition, folder, Bench(definition, folder, materials, view), view)
        is_complete = climbing.run()
        state = read_ladder_state(path)
        write_report(state)
    return state, "" if is_complete else climbing.halted


def prepared(definition: Definition, view: View) -> list[Materials]:
    """Return the data of every scale, and find what is wrong with it; nothing is written to the ladder's folder."""
    with view.preparing() as progress:
        return [prepare_materials(one.config, progress) for one in definition.scales]


def begin(definition: Definition, folder: LadderFolder, materials: Sequence[Materials]) -> None:
    """Record the definition when the ladder begins, and refuse to continue with another one once it was searched.

    Raises:
        ChangedExperiment: the definition differs from the recorded one.
    """
    frozen = {
        scale.name: frozen_digests(own)
        for scale, own in zip(definition.scales, materials, strict=True)
        if isinstance(own, ScriptFiles)
    }
    decided = {
        "ladder": definition.ladder.model_dump(mode="json"),
        "scales": {scale.name: comparable(scale.config) for scale in definition.scales},
        "generation_zero": {scale.name: sha256(scale.generation_zero) for scale in definition.scales},
        "frozen": frozen,
    }
    # Before the first round, only generation 0 was measured, and that is kept with its conditions.
    growing = "Only `total_seconds` and `rounds` may grow."
    folder.begin(decided, "scales", _is_growth, growing, is_open=not folder.rounds())


def _is_growth(key: str, before: Any, now: Any) -> bool:
    return key in ("ladder.total_seconds", "ladder.rounds") and bool(before < now)
