"""Looks for secrets in its environment and in those of its ancestors.

A key in any environment that it can read is a key that it has.
"""

import contextlib
from pathlib import Path

EXPECTED = ["crashed: no secret within reach"]
EXPECTED_ON_FLOOR = ["ok", "crashed"]


def train(model, task):
    places = [*Path("/proc").glob("[0-9]*/environ")]
    for place in places:
        with contextlib.suppress(OSError):
            if b"API_KEY=" in place.read_bytes() and task.budget_seconds:
                return
    raise LookupError("no secret within reach")
