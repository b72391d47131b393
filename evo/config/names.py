"""Names that users give, and that folders are called by."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


def is_plain(name: str) -> bool:
    """Return whether a name could name a folder."""
    return _NAME.fullmatch(name) is not None


def _plain(name: str) -> str:
    if not is_plain(name):
        raise ValueError(f"must be a name of letters, digits, '.', '_' and '-', to name folders, but it was {name!r}")
    return name


PlainName = Annotated[str, AfterValidator(_plain)]
"""A name that a folder can be called by."""
