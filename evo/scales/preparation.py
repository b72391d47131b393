"""Beginning a ladder, and refusing to go on with another one in its folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from evo.runs.assemble import build_operators
from evo.runs.materials import Materials, ScriptFiles, prepare_materials
from evo.scales.definition import Definition
from evo.scales.folder import LadderFolder
from evo.scales.view import View
from evo.studies.folder import comparable
from evo.text import sha256


def require_operators(definition: Definition) -> None:
    """Raise ConfigError unless every scale has its operators, and the language model of those that need one."""
    for rung in definition.rungs:
        asyncio.run(build_operators(rung.config).close())


def prepared(definition: Definition, view: View) -> list[Materials]:
    """Return the data of every scale, and find what is wrong with it; nothing is written to the ladder's folder."""
    with view.preparing() as progress:
        return [prepare_materials(one.config, progress) for one in definition.rungs]


def begin(definition: Definition, folder: LadderFolder, materials: Sequence[Materials]) -> None:
    """Record the definition when the ladder begins, and refuse to continue with another one once it was searched.

    Raises:
        ChangedExperiment: the definition differs from the recorded one.
    """
    frozen = {
        rung.name: {file.name: file.sha256 for file in (*own.frozen, *own.held_out)}
        for rung, own in zip(definition.rungs, materials, strict=True)
        if isinstance(own, ScriptFiles)
    }
    decided = {
        "ladder": definition.ladder.model_dump(mode="json"),
        "scales": {rung.name: comparable(rung.config) for rung in definition.rungs},
        "generation_zero": {rung.name: sha256(rung.generation_zero) for rung in definition.rungs},
        "frozen": frozen,
    }
    kept: dict[str, Any] = json.loads(json.dumps(decided))
    # Before the first round, only generation 0 was measured, and that is kept with its conditions.
    growing = "Only `total_seconds` and `rounds` may grow."
    folder.begin(kept, "scales", _is_growth, growing, is_open=not folder.rounds())


def _is_growth(key: str, before: Any, now: Any) -> bool:
    return key in ("ladder.total_seconds", "ladder.rounds") and bool(before < now)
