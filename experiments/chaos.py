"""A storm over real runs: drivers, supervisors, candidates and the model's server die at random, the disk fills up.

    python -m experiments.chaos --kills 500

Runs of a small script task are driven by the installed command. At random moments something of them is killed or
stopped, or the driver goes on with hardly any room for its files, or with another monotonic clock as after a reboot.
After each end of a driver these must hold: its candidates are gone within 10 s, `evo check` finds no error and no
warning, and every row that was acknowledged is there unchanged. Each run ends with exactly its budget and replays.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from evo.runs.integrity import Severity, check_run
from evo.runs.replay import replay_run
from experiments.recording import storm_outcome, write_record

_EVO = Path(sys.executable).with_name("evo")
_PROGRAM = """
import os
import random
import time

STEPS = 40
RATE = 0.3
WIDTH = 8

loss = 2.0
for step in range(STEPS):
    loss -= (loss - 1.0) * RATE / WIDTH
    time.sleep(0.01)
print(f"loss: {loss + random.Random(int(os.environ['EVO_SEED'])).gauss(0, 0.01):.6f}")
"""
_CONFIG = """
[task]
kind = "script"
root = "."
genome = "train.py"
command = ["python", "train.py"]

[task.objectives.loss]
direction = "minimize"
pattern = 'loss:\\s*(\\S+)'

[search]
pop = 6
gens = 5

[workers]
count = 2
sandbox = "process-group"

[operators]
weights = { llm_mutation = 1.0, random = 1.0, uniform = 0.5, merge = 0.5 }
"""
_MISCHIEF = {
    "driver": 5,
    "supervisor": 4,
    "candidate": 4,
    "model server": 2,
    "supervisor stopped": 1,
    "disk full": 2,
    "another clock": 1,
}
_GONE_SECONDS = 10.0
_POLL_SECONDS = 0.05
_LONGEST_DELAY_SECONDS = 4.0
_DURING_START = 0.2  # of the drivers are struck before they have begun to work
_IMMUTABLE = {
    "evaluations": "SELECT id, told, individual, seed, splits, purpose, status, objectives FROM evaluations "
    "WHERE told IS NOT NULL",
    "results": "SELECT evaluation, body FROM results",
    "individuals": "SELECT id, genome, idea, created_at FROM individuals",
    "exchanges": "SELECT proposal, turn, reply FROM exchanges WHERE reply IS NOT NULL",
    "events": "SELECT id, kind, payload FROM events",
}


@dataclass
class Storm:
    """What happened so far.

    Attributes:
        mischief: how often what was done.
        runs: that ended with their whole budget.
        rows: acknowledged rows that were compared again.
        breaches: what did not hold.
    """

    mischief: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    rows: int = 0
    breaches: list[str] = field(default_factory=list)


class _Model:
    """The scripted language model; it can be killed, and started again at the same address."""

    def __init__(self) -> None:
        self._port = "0"
        self.start()

    def start(self) -> None:
        command = [str(_EVO), "rehearse", "--port", self._port]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        assert self._process.stdout is not None
        found = re.search(r"http://\S+:(\d+)", self._process.stdout.readline())
        if found is None:
            raise RuntimeError("the scripted model did not start")
        self.url, self._port = found[0], found[1]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


class _Run:
    """A run that is driven again whenever its driver has ended."""

    def __init__(self, folder: Path, model: _Model) -> None:
        folder.mkdir()
        (folder / "train.py").write_text(_PROGRAM.lstrip(), encoding="utf-8")
        (folder / "evo.toml").write_text(_CONFIG, encoding="utf-8")
        self.path = folder / "run"
        self._folder = folder
        self._environment = {
            **os.environ,
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "none",
            "TMPDIR": str(folder),
        }
        self.driver: subprocess.Popen[bytes] | None = None
        self.output = folder / "output.txt"

    def drive(self, way: str, chance: random.Random) -> None:
        """Start a driver, in the ordinary way or with little room or another clock."""
        command = [str(_EVO), "resume", str(self.path)] if self._is_sealed else [str(_EVO), "run", "--out", "run"]
        room = None
        if way == "disk full":
            room = max((one.stat().st_size for one in self.path.glob("evo.db*")), default=0) + chance.randint(0, 40_000)
        elif way == "another clock":
            command = ["unshare", "--time", "--monotonic", str(chance.randint(1, 10**6)), "--fork", *command]
        if not self._is_sealed and self.path.exists():
            shutil.rmtree(self.path)
        with self.output.open("ab") as output:
            self.driver = subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=None if room is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
            )

    def family(self, kind: str) -> list[psutil.Process]:
        """Return the living processes of the driver: the `driver`, the supervisors, or the candidates."""
        assert self.driver is not None
        with suppress(psutil.Error):
            family = psutil.Process(self.driver.pid).children(recursive=True)
            roles: dict[str, list[psutil.Process]] = {"driver": [], "supervisor": [], "candidate": []}
            for one in family:
                with suppress(psutil.Error):
                    words = one.cmdline()
                    is_driver = str(_EVO) in words
                    role = "driver" if is_driver else "supervisor" if "trainer.script" in words else "candidate"
                    roles[role].append(one)
            return roles[kind] or ([psutil.Process(self.driver.pid)] if kind == "driver" else [])
        return []

    def everyone(self) -> list[psutil.Process]:
        return [one for kind in ("driver", "supervisor", "candidate") for one in self.family(kind)]

    @property
    def _is_sealed(self) -> bool:
        return (self.path / "config.toml").exists()

    def rows(self) -> dict[str, dict[int | tuple[int, int], tuple[object, ...]]]:
        """Return the rows that may never change, by table and key."""
        with closing(sqlite3.connect(f"file:{self.path / 'evo.db'}?mode=ro", uri=True, timeout=30)) as database:
            return {
                name: {row[:2] if name == "exchanges" else row[0]: row for row in database.execute(query)}
                for name, query in _IMMUTABLE.items()
            }


def storm(kills: int, seed: int) -> Storm:
    """Do so much mischief, and return what came of it."""
    chance = random.Random(seed)
    happened = Storm()
    model = _Model()
    with tempfile.TemporaryDirectory(prefix="evo-chaos-") as folder:
        try:
            while happened.mischief.total() < kills:
                _one_run(Path(folder) / f"run-{happened.runs}", model, chance, happened, kills)
        finally:
            model.kill()
    return happened


def _one_run(folder: Path, model: _Model, chance: random.Random, happened: Storm, kills: int) -> None:
    run = _Run(folder, model)
    known: Mapping[str, Mapping[int | tuple[int, int], tuple[object, ...]]] = {}
    way = ""
    while True:
        run.drive(way, chance)
        way = ""
        for mischief in _while_driven(run, chance, happened, kills):
            happened.mischief[mischief] += 1
            if mischief == "model server":
                model.kill()
                model.start()
            elif mischief in ("disk full", "another clock"):
                way = mischief
                _kill(run, "driver", chance)
            elif mischief == "supervisor stopped":
                for one in run.family("supervisor")[:1]:
                    with suppress(psutil.Error):
                        one.suspend()
            else:
                _kill(run, mischief, chance)
        known = _look(run, known, happened)
        assert run.driver is not None
        if run.driver.returncode == 0:
            break
    happened.runs += 1
    replay = replay_run(run.path)
    if replay.difference is not None:
        happened.breaches.append(f"replay: {replay.difference}")
    shutil.rmtree(folder)


def _while_driven(run: _Run, chance: random.Random, happened: Storm, kills: int) -> Iterator[str]:
    """Yield what to do next at random moments, until the driver has ended."""
    assert run.driver is not None
    kinds, weights = [*_MISCHIEF], [*_MISCHIEF.values()]
    if chance.random() > _DURING_START:
        while run.driver.poll() is None and not run.family("candidate"):
            time.sleep(_POLL_SECONDS)
    while True:
        calm = happened.mischief.total() >= kills
        try:
            run.driver.wait(None if calm else chance.uniform(0, _LONGEST_DELAY_SECONDS))
        except subprocess.TimeoutExpired:
            yield chance.choices(kinds, weights)[0]
        else:
            return


def _kill(run: _Run, kind: str, chance: random.Random) -> None:
    everyone = run.everyone() if kind == "driver" else []
    for one in everyone:
        with suppress(psutil.Error):
            one.resume()  # what stands still cannot notice the end of its driver
    for one in chance.sample(family, 1) if (family := run.family(kind)) else []:
        with suppress(psutil.Error):
            one.kill()
    deadline = time.monotonic() + _GONE_SECONDS
    while any(map(_is_alive, everyone)):
        if time.monotonic() > deadline:
            raise RuntimeError(f"processes outlived their driver for {_GONE_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)


def _is_alive(process: psutil.Process) -> bool:
    # Not `psutil.wait_procs`, which would take the exit code of the driver away.
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _look(
    run: _Run, known: Mapping[str, Mapping[int | tuple[int, int], tuple[object, ...]]], happened: Storm
) -> Mapping[str, Mapping[int | tuple[int, int], tuple[object, ...]]]:
    """Check a run whose driver has ended against what was seen of it before."""
    said = run.output.read_text(encoding="utf-8", errors="replace")
    if "Traceback" in said:
        happened.breaches.append(f"a traceback: {said[said.index('Traceback') :][-2000:]}")
        run.output.write_bytes(b"")
    if not (run.path / "config.toml").exists():
        return known
    found = check_run(run.path)
    happened.breaches += [f"check: {one.message}" for one in found if one.severity is not Severity.NOTE]
    rows = run.rows()
    for table, before in known.items():
        happened.rows += len(before)
        happened.breaches += [f"{table} {key} changed" for key, row in before.items() if rows[table].get(key) != row]
    return rows


def _record(happened: Storm, seconds: float, seed: int) -> str:
    return (
        f"{happened.mischief.total()} blows (seed {seed}) in {seconds / 60:.0f} min to {happened.runs} runs, of which "
        f"each ended with its whole budget; {happened.rows:,} comparisons of acknowledged rows.\n\n"
        f"{storm_outcome(happened.mischief, happened.breaches)}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    began = time.monotonic()
    after = storm(arguments.kills, arguments.seed)
    print(write_record("chaos", _record(after, time.monotonic() - began, arguments.seed)))
    sys.exit(1 if after.breaches else 0)
