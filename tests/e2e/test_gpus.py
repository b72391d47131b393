"""GPUs as a machine of users has them, by a stand-in for their driver: all is real but what stands in the cards."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from command_line import PATIENCE_SECONDS, installed_evo
from script_runs import script_settings, script_task, write_files

from evo.config.reading import parse_config
from evo.config.workplaces import cluster_wanted
from evo.workers.ray import RayEvaluator
from experiments.ray_cluster import leave, ray_cluster
from trainer.cluster.connection import Wanted, connect
from trainer.errors import ConfigError

DRIVER = Path(__file__).parents[1] / "support" / "gpu_driver.c"
SCRIPT = """
import os
RATE = 0.5
print("on", os.environ["CUDA_VISIBLE_DEVICES"])
print(f"val_loss: {abs(RATE - 0.3):.4f}")
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drivers")


def driver(folder: Path, *options: str) -> dict[str, str]:
    """Return the environment of a machine with such GPUs."""
    place = folder / "-".join(options).replace("=", "")
    if not place.exists():
        place.mkdir()
        for library in ("libnvidia-ml.so.1", "libcuda.so.1"):
            compile_ = ["cc", "-shared", "-fPIC", *(f"-D{one}" for one in options), "-o", place / library, DRIVER]
            subprocess.run(compile_, check=True)
    return {"LD_LIBRARY_PATH": str(place)}


def searched(folder: Path, env: dict[str, str], task: str = "", more: str = "") -> list[str]:
    """Run a search over a script; return the GPUs of its evaluations, each as its program saw them, sorted."""
    more = f"[search]\npop = 2\ngens = 3\n{more}"
    toml = script_task(objective="val_loss", task=f'noise = "none"\n{task}', more=more)
    write_files(folder, {"train.py": SCRIPT, "evo.toml": toml})
    run = folder / "run"
    done = installed_evo("run", "--out", run, cwd=folder, **env)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(run / "evo.db")) as store:
        tails = [json.loads(body)["log_tail"] for (body,) in store.execute("SELECT body FROM results")]
    return sorted({line for tail in tails for line in tail.splitlines() if line.startswith("on ")})


@pytest.mark.parametrize(
    ("visible", "task", "more", "seen"),
    [
        (None, "", "", ["on GPU-0", "on GPU-1"]),
        ("1", "", "[workers]\nslots_per_gpu = 2\n", ["on GPU-1"]),
        (None, "gpus = 2\n", "", ["on GPU-0,GPU-1"]),
    ],
)
def test_a_worker_has_the_gpus_that_a_user_chose(
    compiled: Path, tmp_path: Path, visible: str | None, task: str, more: str, seen: list[str]
) -> None:
    env = driver(compiled, "GPUS=2") | ({"CUDA_VISIBLE_DEVICES": visible} if visible else {})
    assert searched(tmp_path, env, task, more) == seen


def test_a_lost_gpu_is_left_out_and_said(compiled: Path, tmp_path: Path) -> None:
    env = driver(compiled, "GPUS=3", "LOST=0")
    doctor = installed_evo("doctor", **env)
    assert "cuda: Stand-in (80 GiB), cuda: Stand-in (80 GiB)" in doctor.stdout
    assert "not answered for by its driver, and not used: GPU 0 (GPU is lost)" in doctor.stdout
    assert searched(tmp_path, env) == ["on GPU-1", "on GPU-2"]
    named = installed_evo("run", "--devices", "0", "--out", tmp_path / "other", **env)
    assert named.returncode == 1
    assert named.stderr == "evo: GPU 0 does not answer its driver: GPU is lost. See `nvidia-smi`.\n"


def test_gpus_of_other_users_are_not_counted(compiled: Path, tmp_path: Path) -> None:
    env = driver(compiled, "GPUS=3", "FORBIDDEN=0") | {"CUDA_VISIBLE_DEVICES": "0"}
    assert "not answered" not in installed_evo("doctor", **env).stdout
    named = installed_evo("run", "--devices", "GPU-0", "--out", tmp_path / "run", **env)
    assert named.returncode == 2
    assert "'GPU-0' is none. There is: cpu; 0 (Stand-in, GPU-1)." in named.stderr


def test_without_a_working_gpu_no_run_begins(compiled: Path, tmp_path: Path) -> None:
    env = driver(compiled, "GPUS=2", "LOST=1")
    done = installed_evo("run", "--out", tmp_path / "run", **env)
    assert done.returncode == 1
    assert "No GPU of this machine answers its driver (GPU 0: GPU is lost; GPU 1: GPU is lost)" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
    doctor = installed_evo("doctor", **env)
    assert doctor.returncode == 1
    assert "No GPU of this machine answers" in doctor.stdout


def test_a_gpu_without_memory_of_its_own(compiled: Path, tmp_path: Path) -> None:
    env = driver(compiled, "GPUS=1", "SHARED")
    assert "cuda: Stand-in\n" in installed_evo("doctor", **env).stdout
    assert searched(tmp_path, env) == ["on GPU-0"]


@pytest.mark.filterwarnings("ignore:Exception in thread ray_client:pytest.PytestUnhandledThreadExceptionWarning")
def test_evaluations_share_the_gpus_of_a_cluster(compiled: Path, tmp_path: Path) -> None:
    wanted = Wanted("cuda", gpus=1, threads=1, sandbox="auto", secrets=(), slots_per_gpu=2)
    settings = script_settings(write_files(tmp_path / "project", {"train.py": ""}))

    async def scenario(evaluator: RayEvaluator) -> list[str]:
        while len(evaluator.workers) < 4:
            await evaluator.workers_changed()
        await evaluator.close()
        return sorted(slot.device.id for slot in evaluator.workers)

    with ray_cluster((1,), driver(compiled, "GPUS=2"), gpus=2) as cluster:
        try:
            evaluator = RayEvaluator(connect(cluster.client), wanted, settings, {})
            found = asyncio.run(asyncio.wait_for(scenario(evaluator), PATIENCE_SECONDS))
        finally:
            leave()
    assert found == ["GPU-0", "GPU-0", "GPU-1", "GPU-1"]


def test_several_gpus_at_once_are_not_shared_on_a_cluster() -> None:
    workers = {"kind": "ray", "devices": ["cuda"], "slots_per_gpu": 2}
    task = {
        "kind": "script",
        "genome": "a.py",
        "command": "a",
        "gpus": 2,
        "objectives": {"x": {"pattern": "(x)", "direction": "minimize"}},
    }
    with pytest.raises(ConfigError, match=r"slots_per_gpu` was 2 and `task\.gpus` 2"):
        cluster_wanted(parse_config({"task": task, "workers": workers}, "evo.toml"))
