"""What a page of HTML is in a browser."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """Collects what a browser would run, load or show.

    Attributes:
        tags: names with attributes, in order.
        addresses: that something is loaded from, or that a link leads to.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.addresses: list[str | None] = []
        self._pieces: defaultdict[str, list[str]] = defaultdict(list)
        self._inside = "text"
        self.feed(page)

    @property
    def kinds(self) -> list[str]:
        """The names of the tags, in order."""
        return [name for name, _ in self.tags]

    @property
    def data(self) -> dict[str, str]:
        """What stands in scripts and styles, by their id or kind, and as `text` what is shown."""
        return {key: "".join(pieces) for key, pieces in self._pieces.items()}

    @property
    def text(self) -> str:
        """What is shown, as it stands there."""
        return self.data["text"]

    @property
    def words(self) -> str:
        """What is shown, with a blank between two tags and for any other space."""
        return re.sub(r"\s+", " ", " ".join(self._pieces["text"]))

    @property
    def figures(self) -> dict[str, Any]:
        """Plotly's figures, by name."""
        prefix = "figure-"
        return {key.removeprefix(prefix): json.loads(one) for key, one in self.data.items() if key.startswith(prefix)}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.addresses += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag in ("script", "style"):
            self._inside = attributes.get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = "text"

    def handle_data(self, data: str) -> None:
        self._pieces[self._inside].append(data)
