"""Leaves the group that counts its CPU time.

Where it can write to files, it can move itself.
"""

from pathlib import Path

EXPECTED = ["crashed", "timed_out: trained on beyond"]


def train(model, task):
    task.train_tokens()
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    groups = dict(line.split("::") for line in Path("/proc/self/cgroup").read_text().splitlines() if "::" in line)
    above = Path(next(where for _, where, kind, *_ in mounts if kind == "cgroup2") + groups["0"]).parent
    (above / "cgroup.procs").write_text("0")
    burn(3.0)
