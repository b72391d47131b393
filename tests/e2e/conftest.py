from pathlib import Path

import pytest
from command_line import SMALL, evo


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, small_config: Path) -> Path:
    """A finished run of ten evaluations in `runs/`, which no test may write to."""
    path = tmp_path_factory.mktemp("finished") / "runs" / "a run"
    done = evo("run", "--config", small_config, "--pop", "2", "--gens", "5", "--out", path, timeout=170)
    assert done.returncode == 0, done.stderr
    assert "10 of 10 evaluations" in done.stdout
    assert "\nsandbox: " in done.stderr
    return path
