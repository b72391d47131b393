"""Names that users give, and that folders are called by."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


def plain_name(name: str) -> str:
    """Return a name; raise ValueError where it could not name a folder."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"must be a name of letters, digits, '.', '_' and '-', to name folders, but it was {name!r}")
    return name
