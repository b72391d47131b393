"""A storm over runs on a real Ray cluster of one machine: nodes, drivers, supervisors and candidates die at random.

    python -m experiments.ray_storm --blows 50

Runs of a small script task are driven by the installed command. A node that was killed is replaced by a new one; a
driver that was killed is resumed, through the other kind of address. After each end of a driver its supervisors must be
gone and `evo check` must find neither an error nor a warning. Each run ends with exactly its budget, with every
evaluation accepted once, and replays.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil

from evo.runs.integrity import Severity, check_run
from evo.runs.lifecycle import view
from evo.runs.replay import replay_run
from experiments.ray_cluster import RayCluster, ray_cluster
from experiments.recording import storm_outcome, write_record

_EVO = Path(sys.executable).with_name("evo")
_PROGRAM = """
import os
import random
import time

RATE = 0.3
WIDTH = 8

time.sleep(0.5)
print(f"loss: {abs(RATE - 0.1) + WIDTH / 100 + random.Random(int(os.environ['EVO_SEED'])).gauss(0, 0.01):.6f}")
"""
_CONFIG = """
[task]
kind = "script"
genome = "train.py"
frozen = ["data.txt"]
command = "python train.py"

[task.objectives.loss]
direction = "minimize"
pattern = 'loss: (\\S+)'

[search]
pop = 8
gens = 12

[operators.weights]
constants = 1.0
"""
_BLOWS = {"node": 6, "driver": 2, "supervisor": 1, "candidate": 1}
_LONGEST_DELAY_SECONDS = 4.0
_GONE_SECONDS = 60.0  # through `ray://`, Ray waits half a minute for a driver to come back
_POLL_SECONDS = 0.1


@dataclass
class Storm:
    """What happened so far.

    Attributes:
        blows: how often what was struck.
        runs: that ended with their whole budget.
        results: that these runs accepted.
        lost: attempts that came to nothing.
        gone_seconds: after the death of a driver, until its candidates were gone, by the kind of its address.
        breaches: what did not hold.
    """

    blows: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    results: int = 0
    lost: int = 0
    gone_seconds: dict[str, float] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)


def storm(blows: int, seed: int) -> Storm:
    """Strike so often, and return what came of it."""
    chance, happened = random.Random(seed), Storm()
    with (
        tempfile.TemporaryDirectory(prefix="evo-ray-storm-") as folder,
        ray_cluster((1, 1, 1), {"EVO_CACHE": str(Path(folder) / "cache")}) as cluster,
    ):
        while happened.blows.total() < blows:
            _one_run(Path(folder) / f"run-{happened.runs}", cluster, chance, happened, blows)
    return happened


def _one_run(folder: Path, cluster: RayCluster, chance: random.Random, happened: Storm, blows: int) -> None:
    folder.mkdir()
    for name, text in (("train.py", _PROGRAM), ("evo.toml", _CONFIG), ("data.txt", "0\n")):
        (folder / name).write_text(text.lstrip(), encoding="utf-8")
    path, output = folder / "run", folder / "output.txt"
    addresses = ["auto", cluster.client]
    while True:
        address = addresses[0]
        addresses.reverse()
        begun = (path / "config.toml").exists()
        command = ["resume", str(path)] if begun else ["run", "--out", str(path)]
        with output.open("ab") as said:
            driver = subprocess.Popen(
                [_EVO, *command, "--workers", address],
                cwd=folder,
                env={**os.environ, "RAY_ADDRESS": cluster.address},
                stdout=said,
                stderr=said,
            )
        _strike(driver, address, cluster, chance, happened, blows)
        if "Traceback" in (printed := output.read_text(encoding="utf-8", errors="replace")):
            happened.breaches.append(printed[printed.index("Traceback") :][-2000:])
            output.write_bytes(b"")
        if (path / "config.toml").exists():
            happened.breaches += [one.message for one in check_run(path) if one.severity is not Severity.NOTE]
        if driver.returncode == 0:
            break
        if driver.returncode != -9:
            happened.breaches.append(f"the driver ended with {driver.returncode}: {printed[-500:]}")
    happened.runs += 1
    _examine(path, happened)


def _strike(
    driver: subprocess.Popen[bytes],
    address: str,
    cluster: RayCluster,
    chance: random.Random,
    happened: Storm,
    blows: int,
) -> None:
    """Strike at random moments until the driver has ended."""
    while driver.poll() is None and not cluster.processes("trainer.script"):
        time.sleep(_POLL_SECONDS)
    while True:
        try:
            is_over = happened.blows.total() >= blows
            driver.wait(None if is_over else chance.uniform(0, _LONGEST_DELAY_SECONDS))
        except subprocess.TimeoutExpired:
            struck = chance.choices([*_BLOWS], [*_BLOWS.values()])[0]
            happened.blows[struck] += 1
            print(f"{happened.blows.total()}: {struck}", flush=True)
            if struck == "node":
                cluster.kill(chance.choice(cluster.nodes))
                cluster.add()
            elif struck == "driver":
                driver.kill()
            else:
                _kill_one(struck, cluster, chance)
        else:
            break
    _await_silence(address, cluster, happened)


def _kill_one(kind: str, cluster: RayCluster, chance: random.Random) -> None:
    victims = cluster.processes("trainer.script")
    if kind == "candidate":
        with suppress(psutil.Error):
            victims = [child for one in victims for child in one.children(recursive=True)]
    with suppress(psutil.Error, IndexError):
        chance.choice(victims).kill()


def _await_silence(address: str, cluster: RayCluster, happened: Storm) -> None:
    kind, began = address.partition(":")[0], time.monotonic()
    while cluster.processes("trainer.script"):
        if time.monotonic() - began > _GONE_SECONDS:
            happened.breaches.append(f"supervisors outlived their driver for {_GONE_SECONDS:g} s")
            break
        time.sleep(_POLL_SECONDS)
    happened.gone_seconds[kind] = max(happened.gone_seconds.get(kind, 0.0), time.monotonic() - began)


def _examine(path: Path, happened: Storm) -> None:
    with view(path) as run:
        outcomes = list(run.store.outcomes())
        attempts = [run.store.attempts_of(one.evaluation) for one in outcomes]
        budget = run.config.search.evaluations
    happened.results += len(outcomes)
    happened.lost += sum(one.state == "released" for several in attempts for one in several)
    accepted = [sum(one.state == "accepted" for one in several) for several in attempts]
    if len(outcomes) != budget or set(accepted) != {1}:
        happened.breaches.append(f"{len(outcomes)} results of {budget}, accepted {Counter(accepted)} times")
    if (difference := replay_run(path).difference) is not None:
        happened.breaches.append(f"replay: {difference}")


def _record(happened: Storm, seconds: float, seed: int) -> str:
    gone = ", ".join(f"{value:.1f} s through `{name}`" for name, value in sorted(happened.gone_seconds.items()))
    return (
        f"{happened.blows.total()} blows (seed {seed}) in {seconds / 60:.0f} min to {happened.runs} runs on Ray "
        f"{version('ray')}, three nodes of one slot each: {happened.results} results, each accepted once, and "
        f"{happened.lost} attempts that came to nothing and ran again. After the end of a driver, no supervisor was "
        f"left within at most {gone}.\n\n"
        f"{storm_outcome(happened.blows, happened.breaches)}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blows", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    began = time.monotonic()
    after = storm(arguments.blows, arguments.seed)
    print(write_record("ray-storm", _record(after, time.monotonic() - began, arguments.seed)))
    sys.exit(1 if after.breaches else 0)
