"""The agents whose commands are known: that the configuration offers them, and what stands for their placeholders."""

from __future__ import annotations

from typing import get_args

from evo.config.config import AgentConfig
from operators.agent import PRESETS, AgentSettings


def test_the_configuration_offers_every_preset() -> None:
    assert get_args(AgentConfig.model_fields["preset"].annotation) == tuple(PRESETS)


def test_every_preset_is_told_what_is_asked() -> None:
    for preset in PRESETS.values():
        settings = AgentSettings("one", preset.command, "bubblewrap", turns=7, max_cost_usd=1.5)
        assert "do {turns}" in settings.filled_in("do {turns}")  # a placeholder in what is asked stays
    claude = AgentSettings("one", PRESETS["claude-code"].command, "bubblewrap", turns=7, max_cost_usd=1.5)
    assert {"7", "1.5"} <= {*claude.filled_in("do")}


def test_keys_stand_in_no_representation() -> None:
    settings = AgentSettings("one", ("agent",), "bubblewrap", {"A_KEY": "sk-0123456789"})
    assert "sk-0123456789" not in repr(settings)
