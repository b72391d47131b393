"""Reads home folders and the root of the file system's data.

Other candidates, runs and keys are files of the same user.
"""

import contextlib
import pwd
from pathlib import Path

EXPECTED = ["crashed"]
EXPECTED_ON_FLOOR = ["ok", "crashed"]


def train(model, task):
    homes = [Path(user.pw_dir) for user in pwd.getpwall() if Path(user.pw_dir) not in map(Path, ("/", "/bin", "/dev"))]
    for home in homes:
        with contextlib.suppress(OSError):
            if [path for path in home.glob(".*") if path.is_file() and path.read_bytes()]:
                return
    raise LookupError("no home within reach")
