"""A language model for experiments without one: the scripted server of the tests in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = Path(__file__).parent.parent / "tests" / "support" / "messages_server.py"


def environment_of(**added: str) -> dict[str, str]:
    """Return this environment, with `added` to it, for a program whose output is read as it comes."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", **added}


@contextmanager
def scripted_model(latency_seconds: float = 0.0) -> Iterator[str]:
    """Yield the address of a server that answers every request with a change of one constant."""
    command = [sys.executable, str(SERVER), "--port", "0", "--latency", str(latency_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment_of()) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            raise RuntimeError(f"expected the server's address, but it printed {line!r}")
        try:
            yield found.group()
        finally:
            server.terminate()
