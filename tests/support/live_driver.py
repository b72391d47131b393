"""A run whose candidates train for ever, shown live: `python live_driver.py FOLDER`, on a terminal of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

from paced_evaluator import PacedEvaluator

from evo import runs
from evo.config import parse_config
from evo.genome import read_genome
from evo.live import LiveView
from evo.resolution import resolve


def main() -> None:
    """Start the run; only signals end it."""
    path = Path(sys.argv[1])
    config = resolve(parse_config({"operators": {"weights": {"random": 1.0}}, "workers": {"devices": ["cpu"]}}))
    evaluator = PacedEvaluator(read_genome(""), seconds=600, stubborn=True)
    runs.build_evaluator = lambda config, corpus: evaluator  # type: ignore[assignment, return-value]
    runs.prepare_materials = lambda *_, **__: SimpleNamespace(vocab_size=2048)  # type: ignore[assignment, return-value]
    with LiveView(config, path) as view:
        runs.start(config, path, view)


if __name__ == "__main__":
    main()
