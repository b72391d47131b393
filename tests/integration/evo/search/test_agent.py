"""Searches whose offspring come from a coding agent: journaled, replayed, paid for once, stopped with the run."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from coding_agents import SCRIPTED
from paced_evaluator import PacedEvaluator
from searches import GENOME, StopsAt, opened, searched

from evo.config.config import Config
from evo.config.reading import load_config, overlaid, parse_config
from evo.config.resolution import resolve
from evo.runs.assemble import agent_settings, build_operators
from evo.runs.folder import RunFolder
from evo.runs.integrity import check_run
from evo.runs.replay import replay_run
from evo.search.stopping import Stopped, StopReason
from evo.standings.outages import read_outages
from evo.store import Store
from evo.store.records import ABANDONED_CALL
from trainer.errors import ConfigError

# Each individual with another rate, which its number in the prompt gives; every third run leaves nothing.
EDITING = """
number = int(sys.argv[2].split("individual #")[1].split(".")[0])
if number % 3 or "was refused" in sys.argv[2]:
    edit("LR = ", f"LR = {number}e-5  # was ", f"rate {number}")
report()
"""


def configured(script: str = EDITING, weights: dict[str, float] | None = None, **agent: Any) -> Config:
    command = [sys.executable, SCRIPTED, script, "{prompt}"]
    data = {
        "search": {"pop": 3, "gens": 3},
        "operators": {"weights": weights or {"llm_agent": 1.0}},
        "agent": {"command": command, "visible": [SCRIPTED], **agent},
    }
    return resolve(parse_config(data, "test"), {})


def search(path: Path, config: Config, spent_usd: float = 0.0) -> Stopped:
    return searched(path, config, PacedEvaluator(GENOME), build_operators(config, spent_usd))


@pytest.mark.parametrize("stops_at", [5, None])
def test_a_run_of_an_agent_replays_and_pays_once(stops_at: int | None, tmp_path: Path) -> None:
    path, config = tmp_path / "run", configured()
    if stops_at is not None:
        observer = StopsAt(stops_at)
        with opened(path, config, PacedEvaluator(GENOME), build_operators(config), observer) as (searching, _):
            observer.search = searching
            assert asyncio.run(searching.run()).stop_reason is StopReason.INTERRUPTED
    assert search(path, config).stop_reason is StopReason.COMPLETE
    assert check_run(path) == []
    assert replay_run(path).difference is None
    with Store.read(RunFolder(path).store) as store:
        spending = store.spending()
        answered = [one for number in range(1, store.last_proposal_number() + 1) for one in store.exchanges(number)]
        abandoned = [event.payload["cost_usd"] or 0.0 for event in store.events(ABANDONED_CALL)]
    assert spending.calls == len(answered)
    assert spending.cost_usd == pytest.approx(0.25 * len(answered) + sum(abandoned))
    assert any("was refused" in str(one.request["messages"]) for one in answered)


def test_the_run_ends_before_its_agent_could_exceed_the_spending_limit(tmp_path: Path) -> None:
    path, limited = tmp_path / "run", {"llm": {"max_cost_usd": 0.6}}
    config = overlaid(configured(max_cost_usd=0.3), limited)
    assert search(path, resolve(config, {})).stop_reason is StopReason.COST_LIMIT
    with Store.read(RunFolder(path).store) as store:
        assert 0.3 < store.spending().cost_usd <= 0.6


def test_other_operators_stand_in_for_an_agent_that_fails(tmp_path: Path) -> None:
    path = tmp_path / "run"
    config = configured("report(is_error=True, result='Not logged in')", {"llm_agent": 1.0, "random": 0.01}, repairs=9)
    assert search(path, config).stop_reason is StopReason.COMPLETE
    assert replay_run(path).difference is None
    with Store.read(RunFolder(path).store) as store:
        assert read_outages(store)


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        ({"command": ["no-such-agent"]}, "'no-such-agent' is no program on the PATH"),
        ({"preset": "codex"}, "'codex' is no program on the PATH"),
        ({"command": ["/bin/sh"], "environment": ["A_KEY"]}, "A_KEY, which the environment does not hold"),
        ({"command": ["/bin/sh"], "visible": ["/no/tool"]}, "/no/tool, which is not there"),
        ({"command": ["/bin/sh"], "config_folder": "/no/such"}, "/no/such is none"),
    ],
)
def test_what_an_agent_lacks_is_said(agent: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=reason):
        agent_settings(parse_config({"agent": agent}, "test"), {"PATH": str(tmp_path)})


def test_an_agent_gets_the_named_variables_alone(tmp_path: Path) -> None:
    program = tmp_path / "claude"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    environment = {"PATH": str(tmp_path), "ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": "o", "EXTRA": "e", "HOME": "/h"}
    config = parse_config({"agent": {"environment": ["EXTRA"]}}, "test")
    variables = agent_settings(config, environment).variables
    assert variables.items() >= {"ANTHROPIC_API_KEY": "a", "EXTRA": "e"}.items()
    assert not variables.keys() & {"OPENAI_API_KEY", "HOME"}
    with pytest.raises(ConfigError, match="claude-code has no key: set ANTHROPIC_API_KEY or"):
        agent_settings(parse_config({}, "test"), {"PATH": str(tmp_path)})


def test_paths_of_an_agent_start_from_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "evo.toml").write_text(
        '[agent]\ncommand = ["tools/agent.sh", "a/b"]\nvisible = ["tools"]\nconfig_folder = "own"\n'
    )
    agent = load_config(tmp_path / "evo.toml").agent
    assert agent.command == (str(tmp_path / "tools" / "agent.sh"), "a/b")
    assert (agent.visible, agent.config_folder) == ((str(tmp_path / "tools"),), str(tmp_path / "own"))


def test_an_agent_sees_the_files_that_its_command_names(tmp_path: Path) -> None:
    (tmp_path / "agent.py").touch()
    (tmp_path / "evo.toml").write_text('[agent]\ncommand = ["python3", "agent.py", "absent.py", "{prompt}"]\n')
    config = load_config(tmp_path / "evo.toml")
    assert config.agent.command == ("python3", str(tmp_path / "agent.py"), "absent.py", "{prompt}")
    assert str(tmp_path / "agent.py") in agent_settings(config).visible
