"""Leaves code where every later process would run it.

A .pth file in site-packages runs at each start of the interpreter.
"""

from pathlib import Path

EXPECTED = ["crashed"]
EXPECTED_ON_FLOOR = ["ok", "crashed"]


def train(model, task):
    canary = Path(torch.__file__).parents[1] / "evo_audit_canary.pth"
    canary.write_text("")
    canary.unlink()
