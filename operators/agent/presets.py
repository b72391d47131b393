"""Coding agents whose commands are known, with the flags of their versions of late 2026."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_CLAUDE_TOOLS = "Read,Edit,Write,Glob,Grep,Bash"


@dataclass(frozen=True, slots=True)
class Preset:
    """One agent.

    Attributes:
        command: with `{prompt}`, `{turns}` and `{dollars}` where it takes them.
        variables: of the environment that are passed on where they are set: its own keys and addresses.
        settings: variables that are set for it.
        config_variable: the one that tells where its configuration is; empty where it has none.
    """

    command: tuple[str, ...]
    variables: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    config_variable: str = ""


PRESETS = {
    "claude-code": Preset(
        (
            *("claude", "-p", "{prompt}", "--output-format", "stream-json", "--verbose"),
            *("--max-turns", "{turns}", "--max-budget-usd", "{dollars}"),
            *("--tools", _CLAUDE_TOOLS, "--allowedTools", _CLAUDE_TOOLS, "--no-session-persistence"),
        ),
        ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN"),
        {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"},
        "CLAUDE_CONFIG_DIR",
    ),
    "codex": Preset(
        ("codex", "exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "{prompt}"),
        ("CODEX_API_KEY",),
        {},
        "CODEX_HOME",
    ),
    # It asks many providers, so the user names the key.
    "opencode": Preset(
        ("opencode", "run", "--format", "json", "--auto", "{prompt}"), (), {"OPENCODE_DISABLE_AUTOUPDATE": "1"}
    ),
}
"""All by name."""
