"""Keys that had another name once: taken with a warning in a file of the user's, silently in what a run stored."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from evo.config.config import Config
from evo.config.reading import parse_as, parse_config
from evo.config.renamed import RENAMED
from evo.config.resolution import resolve
from evo.config.resolved import StoredConfig
from trainer.errors import ConfigError


@pytest.mark.parametrize(("section", "old"), RENAMED)
def test_the_old_name_is_taken_with_a_warning(section: str, old: str, caplog: pytest.LogCaptureFixture) -> None:
    new = RENAMED[section, old]
    config = parse_config({section: {old: 0.25}}, f"{old}.toml")
    assert getattr(getattr(config, section), new) == 0.25
    assert caplog.messages == [
        f"{old}.toml: `{section}.{old}` is called `{section}.{new}` now; the old name still works."
    ]
    assert old not in config.to_toml()


@pytest.mark.parametrize(("section", "old"), RENAMED)
def test_what_a_run_stored_reads_silently(section: str, old: str, caplog: pytest.LogCaptureFixture) -> None:
    new = RENAMED[section, old]
    stored: dict[str, Any] = tomllib.loads(resolve(parse_config({"workers": {"devices": ["cpu"]}}), {}).to_toml())
    stored[section][old] = stored[section].pop(new)
    config = parse_as(StoredConfig, stored, "config.toml")
    assert getattr(config, section) == getattr(Config(), section)
    assert not caplog.messages


def test_both_names_at_once_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"`noise.confirm_share` is not a configuration key; did you mean"):
        parse_config({"noise": {"confirm_share": 0.1, "confirm_fraction": 0.2}}, "evo.toml")
