"""Where evaluations run: this machine, or a cluster that a flag or a key names."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from evo.config.config import Config
from evo.config.options import sections_of
from evo.config.reading import overlaid, parse_config
from trainer.errors import ConfigError


def resumed_with(stored: dict[str, Any], workers: str | int) -> dict[str, Any]:
    config = parse_config({"workers": stored})
    return overlaid(config, sections_of({"workers": workers})).workers.model_dump(exclude_defaults=True)


def test_a_number_is_workers_of_this_machine() -> None:
    assert resumed_with({"devices": ["cpu"], "count": 2}, 3) == {"devices": ("cpu",), "count": 3}
    assert resumed_with({"devices": ["cpu"]}, "4") == {"devices": ("cpu",), "count": 4}


@pytest.mark.parametrize("address", ["auto", "ray://gpu-head:10001"])
def test_a_run_moves_to_a_cluster_and_back(address: str) -> None:
    there = resumed_with({"devices": ["0", "1"], "count": 2}, address)
    assert there == {"kind": "ray", "address": address}
    assert resumed_with({**there, "devices": ["cpu"]}, 2) == {"devices": ("cpu",), "count": 2}


@pytest.mark.parametrize("value", ["many", "-1", "ray://host", "ray://user:secret@host:1", "http://host:10001", ""])
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"--workers expects a number, auto .* or ray://HOST:PORT"):
        sections_of({"workers": value})


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"address": "auto"}, r"`workers\.address` is that of a Ray cluster"),
        ({"kind": "ray", "count": 3}, r"`workers\.count` is for this machine"),
        ({"kind": "ray", "devices": ["0"]}, r"`workers\.devices` on a cluster must be \[\"cpu\"\] or \[\"cuda\"\]"),
        ({"kind": "ray", "address": "gpu-head"}, r"`workers\.address` must be auto or ray://HOST:PORT"),
        ({"kind": "slurm"}, r"`workers\.kind` was 'slurm'"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_its_key(section: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_config({"workers": section}, "evo.toml")


def test_a_cluster_reads_back_from_a_stored_configuration() -> None:
    config = parse_config({"workers": {"kind": "ray", "address": "auto", "devices": ["cpu"]}})
    assert Config(**tomllib.loads(config.to_toml())) == config
