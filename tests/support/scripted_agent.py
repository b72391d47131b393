"""A coding agent for tests: a small program that does in its folder what its first argument says, and prints JSON.

The argument is Python, run in the agent's working folder with the names below at hand.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["Path", "edit", "os", "reaches", "report", "socket", "sys", "time"]


def edit(old: str = "LEARNING_RATE = 0.01", new: str = "LEARNING_RATE = 0.02", idea: str = "a higher rate") -> None:
    """Make one change of the program and leave a hypothesis."""
    program = Path("train.py")
    program.write_text(program.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    Path("HYPOTHESIS.txt").write_text(f"{idea}\n", encoding="utf-8")


def report(**fields: Any) -> None:
    """Print what an agent reports last."""
    usage = {"input_tokens": 1000, "output_tokens": 200, "cache_read_input_tokens": 500}
    said = {"type": "result", "result": "Done.", "num_turns": 3, "total_cost_usd": 0.25, "usage": usage}
    sys.stdout.write(json.dumps(said | fields) + "\n")
    sys.stdout.flush()


def reaches(path: str) -> bool:
    """Whether a path can be read or listed."""
    try:
        return any(Path(path).iterdir()) if Path(path).is_dir() else bool(Path(path).read_bytes())
    except OSError:
        return False


if __name__ == "__main__":
    exec(sys.argv[1])
