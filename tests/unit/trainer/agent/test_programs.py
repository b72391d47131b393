"""Where the program of an agent is, and what belongs to its installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.agent import found_program
from trainer.errors import ConfigError


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_package_of_npm_is_run_where_it_lies_with_all_packages_and_node(tmp_path: Path) -> None:
    real = program(tmp_path / "lib" / "node_modules" / "@some" / "agent" / "cli.js")
    node = program(tmp_path / "bin" / "node")
    (tmp_path / "bin" / "agent").symlink_to(real)
    found = found_program("agent", str(tmp_path / "bin"))
    assert found.path == real
    assert set(found.installation) == {tmp_path / "lib" / "node_modules", node}


def test_another_program_is_run_as_it_is_named(tmp_path: Path) -> None:
    real = program(tmp_path / "versions" / "1.0")
    (tmp_path / "agent").symlink_to(real)
    found = found_program("agent", str(tmp_path))
    assert found.path == tmp_path / "agent"
    assert set(found.installation) == {tmp_path / "agent", real}
    assert found_program(str(tmp_path / "agent")) == found


def test_a_program_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'agent' is no program on the PATH"):
        found_program("agent", str(tmp_path))
    with pytest.raises(ConfigError, match="agent' is no program: there is no such file"):
        found_program(str(tmp_path / "agent"))
    (tmp_path / "agent").touch()
    with pytest.raises(ConfigError, match=r"agent' is no program: it may not be executed \(chmod"):
        found_program(str(tmp_path / "agent"))
