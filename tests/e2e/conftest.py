import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from command_line import SMALL, evo

SEED = Path(__file__).parents[2] / "trainer" / "seed" / "train.py"


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, small_config: Path) -> Path:
    """A finished run of eight evaluations in `runs/`, which no test may write to; its generation 0 is in a repository.

    The first process of a test session that needs it makes it, for all.
    """
    own = tmp_path_factory.getbasetemp()
    project = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "finished"
    path, complete = project / "runs" / "a run", project / "complete"
    with project.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            shutil.rmtree(project, ignore_errors=True)
            project.mkdir()
            _finish(project / "train.py", small_config, path)
            complete.touch()
    return path


def _finish(genome: Path, config: Path, path: Path) -> None:
    shutil.copy(SEED, genome)
    for command in (
        ["init", "-q"],
        ["add", "train.py"],
        ["-c", "user.name=A", "-c", "user.email=", "commit", "-qm", "A"],
    ):
        subprocess.run(["git", "-C", genome.parent, *command], check=True)
    done = evo("run", genome, "--config", config, "--pop", "2", "--gens", "4", "--out", path)
    assert done.returncode == 0, done.stderr
    assert "8 of 8 evaluations" in done.stdout
    assert "\nsandbox: " in done.stderr
