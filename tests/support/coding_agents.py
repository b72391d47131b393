"""Coding agents in tests: the scripted one at some sandbox level, and what their proposals came to."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import llm_requests
import scripted_agent

from operators.agent import Agents, AgentSettings, LLMAgent
from operators.llm import SpendLimit
from operators.llm.context import Prompts
from operators.proposal import Proposal, Request

SCRIPTED = str(Path(scripted_agent.__file__))
KEY = f"sk-of-the-agent-{os.getpid():012}"  # of this test process alone


def scripted_settings(script: str, level: str = "bubblewrap", **changes: Any) -> AgentSettings:
    """Return the settings of an agent that does in its folder what a script says."""
    command = (sys.executable, SCRIPTED, script, "{prompt}")
    given = {"variables": {"AGENT_KEY": KEY}, "visible": (SCRIPTED,), "repairs": 0, "seconds": 300.0} | changes
    return AgentSettings("scripted", command, level, **given)


def agent(settings: AgentSettings, spend_limit: SpendLimit | None = None, **changes: Any) -> LLMAgent:
    """Return the operator on an agent, for the small program of `llm_requests`."""
    prompts = Prompts(llm_requests.CONDITIONS)
    return LLMAgent(Agents(settings, prompts, spend_limit or SpendLimit(), **changes))


def proposed(operator: LLMAgent, request: Request) -> Proposal:
    """Return what the operator proposes."""
    return asyncio.run(operator.propose(request))
