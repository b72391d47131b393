"""A run whose candidates train for ever, shown live: `python live_driver.py FOLDER`, on a terminal of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

from paced_evaluator import PacedEvaluator

from evo.commands.views.live import LiveView
from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs import lifecycle as runs
from evo.runs.generation_zero import read_genome


def main() -> None:
    """Start the run; only signals end it."""
    path = Path(sys.argv[1])
    config = resolve(parse_config({"operators": {"weights": {"random": 1.0}}, "workers": {"devices": ["cpu"]}}))
    evaluator = PacedEvaluator(read_genome(""), seconds=600, stubborn=True)
    runs.build_evaluator = lambda *_: evaluator  # type: ignore[assignment, return-value]
    runs.prepare_materials = lambda *_, **__: SimpleNamespace(vocab_size=2048)  # type: ignore[assignment, return-value]
    with LiveView(config, path) as view:
        runs.start(config, path, view)


if __name__ == "__main__":
    main()
