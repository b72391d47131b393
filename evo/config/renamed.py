"""Keys of the configuration that had another name once."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from typing import Any

_log = logging.getLogger(__name__)

RENAMED = {
    ("noise", "confirm_share"): "confirm_fraction",
    ("diversity", "archive_share"): "archive_fraction",
}
"""The new name of a key, by section and old name."""


def with_current_names(data: Mapping[str, Any], source: str = "") -> dict[str, Any]:
    """Return parsed TOML with every renamed key under its new name.

    Args:
        data: tables by section; values of other types stay, to be refused later.
        source: the file of the user's that it comes from, which a warning names; empty for no warning.
    """
    current = dict(data)
    for (section, old), new in RENAMED.items():
        table = current.get(section)
        if isinstance(table, Mapping) and old in table and new not in table:
            current[section] = {new if key == old else key: value for key, value in table.items()}
            if source:
                _warn(source, section, old, new)
    return current


@functools.cache
def _warn(source: str, section: str, old: str, new: str) -> None:
    _log.warning("%s: `%s.%s` is called `%s.%s` now; the old name still works.", source, section, old, section, new)
