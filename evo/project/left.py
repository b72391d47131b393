"""The metrics in the files that a program left: JSON, lines of JSON, tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evo.project.found import Metric
from evo.project.wording import identifier, is_count
from trainer.objectives import SCRIPT_OBJECTIVES
from trainer.script.left import JSON_LINES, TABLES
from trainer.script.numbers import number_in
from trainer.script.readings import table_rows


def metrics_left(folder: Path) -> list[Metric]:
    """Return the metrics in the files of a folder, each name once: the first file by name counts."""
    found: dict[str, Metric] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        for key in _keys(path.read_bytes(), name):
            label = key.replace(".", "_")
            if not is_count(label) and identifier(label) not in SCRIPT_OBJECTIVES:
                metric = Metric(identifier(label), label, name, name, take="last", json_file=name, key=key)
                found.setdefault(metric.name, metric)
    return list(found.values())


def _keys(content: bytes, name: str) -> Iterator[str]:
    """Yield the keys under which a file holds numbers."""
    if name.endswith(TABLES):
        rows = table_rows(content, name)
        yield from (key for key, value in (rows[-1] if rows else {}).items() if key and number_in(value) is not None)
        return
    lines = [line for line in content.split(b"\n") if line.strip()] if name.endswith(JSON_LINES) else [content]
    try:
        documents = [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        return
    yield from dict.fromkeys(key for one in documents if isinstance(one, dict) for key in _numbers(one))


def _numbers(document: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in document.items():
        if "." in key:
            continue
        if isinstance(value, dict):
            yield from _numbers(value, f"{above}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{above}{key}"
