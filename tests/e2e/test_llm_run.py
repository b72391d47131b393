"""A run bred by a language model: the scripted one of a local server, with real training."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_line import environment, evo

from operators.llm.rehearsal import MessagesServer, Received

KEY = "sk-ant-api03-never-to-be-written-down"
PROGRAM = "Prefer changes to the learning rates. Mark of this program: zanzibar."


@dataclass
class LLMRun:
    path: Path
    out: str
    requests: list[Received]


@pytest.fixture(scope="module")
def llm_run(tmp_path_factory: pytest.TempPathFactory, small_config: Path) -> Iterator[LLMRun]:
    folder = tmp_path_factory.mktemp("llm")
    program = folder / "program.md"
    program.write_text(PROGRAM)
    path = folder / "run"
    operators = ("--operators", "llm_mutation=1", "--program", program)
    with MessagesServer() as server:
        env = environment(ANTHROPIC_BASE_URL=server.url, ANTHROPIC_API_KEY=KEY)
        size = ("--pop", "2", "--gens", "1")
        done = evo("run", "--config", small_config, *operators, *size, "--out", path, env=env)
        assert done.returncode == 0, done.stderr
        assert KEY not in done.stdout + done.stderr
        yield LLMRun(path, done.stdout, list(server.requests))


def exchanges(llm_run: LLMRun) -> list[dict[str, Any]]:
    family = json.loads(evo("lineage", llm_run.path, "--json").stdout)
    bred = [member["id"] for member in family if member["operator"].startswith("llm_mutation:")]
    shown = [json.loads(evo("show", llm_run.path, str(id_), "--prompts", "--json").stdout) for id_ in bred]
    return [exchange for individual in shown for exchange in individual["exchanges"]]


@pytest.mark.slow
def test_calls_are_made_with_the_key_and_the_program(llm_run: LLMRun) -> None:
    assert llm_run.requests
    for request in llm_run.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert PROGRAM in json.dumps(request.body)


@pytest.mark.slow
def test_exchanges_are_journaled_and_their_cost_is_shown(llm_run: LLMRun) -> None:
    journaled = exchanges(llm_run)
    assert journaled
    sent = [request.body["messages"] for request in llm_run.requests]
    for exchange in journaled:
        assert exchange["request"]["messages"] in sent
        assert "SEARCH" in json.dumps(exchange["reply"])
        assert exchange["cost_usd"] > 0
    assert re.search(r"\d calls? of a language model for \$", llm_run.out)
    spending = json.loads(evo("status", llm_run.path, "--json").stdout)["summary"]["spending"]
    assert spending["calls"] == len(llm_run.requests)
    assert spending["cost_usd"] >= sum(exchange["cost_usd"] for exchange in journaled) > 0


@pytest.mark.slow
def test_show_prompts_prints_both_sides(llm_run: LLMRun) -> None:
    family = json.loads(evo("lineage", llm_run.path, "--json").stdout)
    bred = next(member["id"] for member in family if member["operator"].startswith("llm_mutation:"))
    shown = evo("show", llm_run.path, str(bred), "--prompts").stdout
    assert "zanzibar" in shown
    assert "<<<<<<< SEARCH" in shown


@pytest.mark.slow
def test_the_key_is_nowhere_in_the_run_folder(llm_run: LLMRun) -> None:
    files = [path for path in llm_run.path.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


@pytest.mark.slow
def test_the_run_is_in_order(llm_run: LLMRun) -> None:
    assert evo("check", llm_run.path).returncode == 0
