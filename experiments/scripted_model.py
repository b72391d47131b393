"""A language model for experiments without one: `evo rehearse` in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EVO = Path(sys.executable).with_name("evo")


@contextmanager
def scripted_model(latency_seconds: float = 0.0) -> Iterator[str]:
    """Yield the address of a server that answers every request with a change of one constant."""
    command = [str(_EVO), "rehearse", "--port", "0", "--latency", str(latency_seconds)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            raise RuntimeError(f"expected the server's address, but it printed {line!r}")
        try:
            yield found.group()
        finally:
            server.terminate()
