"""What a document is, and what every source of documents offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from trainer.errors import DatasetError


class Document(NamedTuple):
    """One text.

    Attributes:
        source: the file or dataset it was read from, for people.
        utf8: its text, UTF-8.
    """

    source: str
    utf8: bytes

    @classmethod
    def of_text(cls, source: str, text: str, place: str) -> Document:
        """Encode `text`, which was found at `place` (a line or row) of `source`.

        Raises:
            DatasetError: the text holds lone surrogates, which no UTF-8 can express.
        """
        try:
            return cls(source, text.encode())
        except UnicodeEncodeError as error:
            raise DatasetError(
                f"Expected Unicode text in {place} of {source}, but character {error.start} is a lone surrogate. "
                "Repair or remove that text."
            ) from error


class Source(Protocol):
    """A place that documents are read from, in an order that never changes."""

    @property
    def name(self) -> str:
        """Short, for people."""

    @property
    def dataset(self) -> str:
        """What `prepare` is given to find this source again from any working directory."""

    def fingerprint(self) -> str:
        """Return a text that is cheap to compute and changes when the source's content may have changed."""

    def size_bytes(self) -> int:
        """Return about how many bytes `documents` reads; 0 where that is unknown."""

    def documents(self) -> Iterator[Document]:
        """Yield the documents in source order; raise DatasetError where one cannot be read."""
