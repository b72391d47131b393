"""The real Claude Code as the operator's agent, against a local Messages server."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from agent_replies import use
from coding_agents import agent, proposed
from llm_requests import CHANGED, FileJournal, request_for

from evo.config.reading import parse_config
from evo.runs.assemble import agent_settings
from operators.llm import SpendLimit
from operators.llm.rehearsal import MessagesServer, say
from operators.proposal import NoOffspring

BIN = Path(sys.prefix, "agents", "node_modules", ".bin")  # of tests/integration/install.sh
KEY = "sk-ant-of-the-agent-0123456789"

pytestmark = pytest.mark.skipif(not (BIN / "claude").exists(), reason="Claude Code is not installed")


def propose(server: MessagesServer, journal: FileJournal, spend_limit: SpendLimit | None = None) -> str:
    environment = {"PATH": f"{BIN}:/usr/bin:/bin", "ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
    config = parse_config({"agent": {"model": "claude-sonnet-5-5", "repairs": 0, "seconds": 120}}, "test")
    return proposed(agent(agent_settings(config, environment), spend_limit), request_for(journal)).source


def test_it_edits_the_program(tmp_path: Path) -> None:
    journal, limit = FileJournal(tmp_path), SpendLimit(5.0)
    script = [
        use("Read", file_path="train.py"),
        use("Edit", file_path="train.py", old_string="LEARNING_RATE = 0.01", new_string="LEARNING_RATE = 0.02"),
        use("Write", file_path="HYPOTHESIS.txt", content="a higher rate learns faster"),
        say("Done."),
    ]
    with MessagesServer(*script, fallback=say("Nothing more.")) as server:
        assert propose(server, journal, limit) == CHANGED
    assert {request.headers["x-api-key"] for request in server.requests} == {KEY}
    (exchange,) = journal.exchanges
    assert exchange.reply["idea"] == "a higher rate learns faster"
    assert (exchange.model, exchange.reply["turns"]) == ("claude-sonnet-5-5", 4)
    assert (exchange.input_tokens, exchange.output_tokens) == (4_000, 400)
    assert exchange.cost_usd == limit.spent_usd > 0
    transcript = exchange.reply["content"][0]["text"].splitlines()
    assert [entry.partition(":")[0] for entry in transcript] == [
        *("Read", "result", "Edit", "result", "Write", "result", "agent")
    ]


def test_what_it_reports_as_an_error_is_the_reason(tmp_path: Path) -> None:
    with (
        MessagesServer(fallback=say("I would rather not.", stop_reason="refusal")) as server,
        pytest.raises(NoOffspring, match=r"exited with code 1.*API Error"),
    ):
        propose(server, FileJournal(tmp_path))
