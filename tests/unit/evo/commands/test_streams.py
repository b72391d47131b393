"""What a terminal cannot show has a substitute, whatever its encoding."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = r"""
from evo.commands.streams import substitute_what_cannot_be_shown
substitute_what_cannot_be_shown()
print("1.5 → 1.2 ✓ … é ▁█ \udcff 漢")
"""


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "1.5 → 1.2 ✓ … é ▁█ ? 漢"),
        ("latin-1", "1.5 > 1.2 + ... é _# ? ?"),
        ("ascii", "1.5 > 1.2 + ... e _# ? ?"),
    ],
)
def test_an_arrow_becomes_what_can_be_shown(encoding: str, shown: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True)
    assert done.stdout.decode(encoding) == f"{shown}\n"
