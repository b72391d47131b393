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
    """A finished run of ten evaluations in `runs/`, which no test may write to; its generation 0 is in a repository."""
    project = tmp_path_factory.mktemp("finished")
    genome, path = project / "train.py", project / "runs" / "a run"
    shutil.copy(SEED, genome)
    for command in (
        ["init", "-q"],
        ["add", "train.py"],
        ["-c", "user.name=A", "-c", "user.email=", "commit", "-qm", "A"],
    ):
        subprocess.run(["git", "-C", project, *command], check=True)
    done = evo("run", genome, "--config", small_config, "--pop", "2", "--gens", "5", "--out", path, timeout=170)
    assert done.returncode == 0, done.stderr
    assert "10 of 10 evaluations" in done.stdout
    assert "\nsandbox: " in done.stderr
    return path
