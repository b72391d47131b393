"""The files of docs/cluster: the script for Slurm with stand-ins for its commands, the manifests by their keys."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import PATIENCE_SECONDS
from script_runs import write_files

FILES = Path(__file__).parents[2] / "docs/cluster"
SLURM = FILES / "slurm.sh"
COMMANDS = {
    "srun": 'echo "srun key=${ANTHROPIC_API_KEY-none} $*" >> calls\n',
    "ray": 'echo "ray $*" >> calls\n',
    "scontrol": """
        if [ "$1" = show ]; then printf 'node-1\\nnode-2\\n'; else echo "scontrol $*" >> calls; fi
        """,
    "evo": """
        trap 'echo "evo saves" >> calls; exit 1' TERM
        [ "$1" = resume ] || { mkdir -p "$5" && touch "$5/config.toml"; }
        echo "evo key=${ANTHROPIC_API_KEY-none} at=$RAY_ADDRESS $*" >> calls
        [ "$1" = resume ] && exit 0
        while true; do sleep 0.1; done
        """,
}


def test_the_script_for_slurm_requeues_itself_and_continues(tmp_path: Path) -> None:
    for name, text in COMMANDS.items():
        write_files(tmp_path / "bin", {name: f"#!/bin/bash\n{text}"})
        (tmp_path / "bin" / name).chmod(0o755)
    given = {"JOB_NAME": "evo", "JOB_ID": "7", "JOB_NODELIST": "node-[1-2]", "CPUS_PER_TASK": "4"}
    variables = {
        **{f"SLURM_{name}": value for name, value in given.items()},
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "ANTHROPIC_API_KEY": "secret",
    }
    calls = tmp_path / "calls"
    job = subprocess.Popen(["bash", SLURM], cwd=tmp_path, env=variables)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (calls.exists() and "evo key=" in calls.read_text()):
        assert job.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    job.send_signal(signal.SIGUSR1)  # as Slurm does before the time is up
    assert job.wait(PATIENCE_SECONDS) == 1  # the driver was stopped
    said = calls.read_text()
    assert f"evo key=secret at=node-1:20007 run --workers auto --out {tmp_path}/runs/evo-7" in said
    assert said.index("evo saves") < said.index("scontrol requeue 7")
    started = [line for line in said.splitlines() if line.startswith("srun")]
    assert len(started) == 2
    assert all("key=none" in line for line in started)
    assert any("--nodelist=node-1" in line and "--head --port=20007" in line for line in started)
    assert any("--nodelist=node-2" in line and "--address=node-1:20007" in line for line in started)
    assert subprocess.run(["bash", SLURM], cwd=tmp_path, env=variables, check=False).returncode == 0
    assert f"evo key=secret at=node-1:20007 resume {tmp_path}/runs/evo-7 --workers auto" in calls.read_text()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_scripts_in_the_manifests_are_valid() -> None:
    kinds = {one["kind"]: one for one in documents("kuberay.yaml")}
    driver = kinds["Job"]["spec"]["template"]["spec"]["containers"][0]
    (head,), (worker,) = documents("sky-head.yaml"), documents("sky-worker.yaml")
    for script in (driver["args"][0], head["setup"], head["run"], worker["setup"], worker["run"]):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_the_manifest_for_kubernetes_has_the_keys_of_kuberay_and_gives_the_driver_alone_the_key() -> None:
    kinds = {one["kind"]: one for one in documents("kuberay.yaml")}
    assert kinds.keys() == {"RayCluster", "PersistentVolumeClaim", "Job"}
    cluster = kinds["RayCluster"]
    assert cluster["apiVersion"] == "ray.io/v1"
    assert cluster["spec"].keys() == {"rayVersion", "headGroupSpec", "workerGroupSpecs"}
    (workers,) = cluster["spec"]["workerGroupSpecs"]
    needed = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
    assert workers.keys() == needed
    assert "evo-key" not in str(cluster)
    driver = kinds["Job"]["spec"]["template"]["spec"]["containers"][0]
    assert driver["envFrom"] == [{"secretRef": {"name": "evo-key"}}]
    assert f"ray://{cluster['metadata']['name']}-head-svc:10001" in driver["args"][0]
    pinned = (FILES.parents[1] / "constraints.txt").read_text()
    assert f"ray=={cluster['spec']['rayVersion']}\n" in pinned


def test_the_tasks_of_skypilot_have_its_keys() -> None:
    (head,), (worker,) = documents("sky-head.yaml"), documents("sky-worker.yaml")
    known = {"name", "workdir", "envs", "resources", "setup", "run"}
    assert head.keys() <= known
    assert worker.keys() <= known
    assert (head["resources"]["use_spot"], worker["resources"]["use_spot"]) == (False, True)


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FILES / name).read_text(encoding="utf-8")))
