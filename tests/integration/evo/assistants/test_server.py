"""`evo mcp` through the official client: an agent sets up a task, runs it and reads the result."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from command_line import EVO, environment, evo
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from script_runs import write_files

PROGRAM = {
    "train.py": """
        import os

        WIDTH = 2.0
        RATE = 0.5

        noise = 0.001 * (int(os.environ.get("EVO_SEED", "0")) % 7)
        print(f"loss: {abs(WIDTH - 5) + abs(RATE - 0.1) + noise:.6f}")
        """,
}


def talk(folder: Path, conversation: Callable[[Client], Awaitable[None]]) -> None:
    """Hold a conversation with a server that works in `folder`."""
    server = StdioServerParameters(command=str(EVO), args=["mcp"], env=environment(), cwd=folder)

    async def hold() -> None:
        async with Client(server) as client:
            await conversation(client)

    asyncio.run(hold())


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    found = result.structured_content or {}
    return found.get("result", found)


def test_an_agent_sets_up_a_task_runs_it_and_reads_the_result(tmp_path: Path) -> None:
    write_files(tmp_path, PROGRAM)

    async def conversation(client: Client) -> None:
        assert "loss" in await call(client, "init", command=f"{sys.executable} train.py", metric="loss:min")
        assert "evo.toml works" in await call(client, "check")
        offer = await call(client, "start", pop=4, gens=3)
        assert (offer["started"], offer["evaluations"]) == (False, 12)
        assert not (tmp_path / "runs").exists()
        run = (await call(client, "start", pop=4, gens=3, confirmed=True))["run"]
        while (await call(client, "status", run=run))["state"] == "running":
            pass
        best = await call(client, "best", run=run)
        assert best["generation_zero"]["id"] == 0
        assert "WIDTH" in best["source"]
        assert (await call(client, "diff", run=run))["from"] == 0
        assert (await call(client, "show", individual=best["best"]["id"], run=run))["id"] == best["best"]["id"]
        assert "left for the run: hint: --wide" in await call(client, "hint", text="--wide", run=run)
        assert "pin #0" in await call(client, "pin", individual=0, run=run)
        program = (tmp_path / "train.py").read_text()
        (tmp_path / "wide.py").write_text(program.replace("WIDTH = 2.0", "WIDTH = 4.5"))
        assert "left for the run: inject" in await call(client, "inject", program="wide.py", idea="-- Wider", run=run)
        assert (await call(client, "lineage", run=run))["ancestors"][-1]["id"] == 0
        assert (await call(client, "report", run=run)).endswith("report.html")

    talk(tmp_path, conversation)


BAD_CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("status", {}, "There is no run in ./runs"),
    ("status", {"run": "--help"}, "--help"),
    ("show", {"individual": "--prompts"}, "individual"),
    ("start", {"pop": 4, "gens": 1, "confirmed": True}, "There is no evo.toml"),
    ("start", {"pop": 0, "gens": 1}, "pop"),
    ("check", {"project": "nowhere"}, "There is no folder"),
]


def test_what_cannot_be_done_is_said_in_words(tmp_path: Path) -> None:
    async def conversation(client: Client) -> None:
        for tool, arguments, message in BAD_CALLS:
            result = await client.call_tool(tool, arguments)
            assert result.is_error
            assert message in str(result.content)
            assert "Traceback" not in str(result.content)

    talk(tmp_path, conversation)


def test_the_skill_is_written_to_where_agents_look(tmp_path: Path) -> None:
    assert evo("skill", "install", "--project", cwd=tmp_path).returncode == 0
    assert evo("skill", "install", "--agent", "codex", env=environment(HOME=str(tmp_path))).returncode == 0
    text = evo("skill").stdout
    for agent in ("claude", "codex"):
        assert (tmp_path / f".{agent}" / "skills" / "evo" / "SKILL.md").read_text() == text
    assert text.startswith("---\nname: evo\n")
