"""Documents of the Hugging Face hub, streamed by the `datasets` package (extra `hub`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainer.corpus.documents import Document
from trainer.errors import DatasetError


@dataclass(frozen=True, slots=True)
class HubDataset:
    """The train split of a dataset that `datasets.load_dataset` knows, read as a stream.

    Attributes:
        dataset: `name` or `name:config`.
    """

    dataset: str

    @property
    def name(self) -> str:
        """The dataset's name with its configuration."""
        return self.dataset

    def fingerprint(self) -> str:
        """Return the name: a prepared dataset is not compared with newer versions of the hub."""
        return f"hub:{self.dataset}"

    def size_bytes(self) -> int:
        """Return 0: the length of a stream is unknown."""
        return 0

    def documents(self) -> Iterator[Document]:
        """Yield the text of each row; raise DatasetError when the dataset or its text column is not there."""
        column = ""
        for number, row in enumerate(self._rows()):
            column = column or self._text_column(row)
            if isinstance(text := row.get(column), str):
                yield Document.of_text(self.dataset, text, f"row {number}")

    def _text_column(self, row: Mapping[str, object]) -> str:
        """Choose `text`, or else the only column that holds strings."""
        candidates = ["text"] if "text" in row else [name for name, value in row.items() if isinstance(value, str)]
        if len(candidates) != 1:
            raise DatasetError(
                f"Expected a column `text` (or a single column of strings) in {self.dataset}, but its columns are "
                f"{', '.join(row)}. Export the text to a .jsonl file with the key `text` and give its path."
            )
        return candidates[0]

    def _rows(self) -> Iterator[Mapping[str, object]]:
        datasets = _import_datasets()
        name, _, config = self.dataset.partition(":")
        try:
            yield from datasets.load_dataset(name, config or None, split="train", streaming=True)
        except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
            raise DatasetError(
                f"Expected a dataset that the Hugging Face hub can stream, but {self.dataset!r} failed: {error}. "
                "Check the name, the configuration and the network, or give a local folder or file."
            ) from error


def _import_datasets() -> Any:
    """Import `datasets` in the mode in which reading rows does not import torch."""
    chosen = os.environ.get("USE_TORCH")
    os.environ.setdefault("USE_TORCH", "0")
    try:
        import datasets
    except ImportError as error:
        raise DatasetError(
            "A Hugging Face dataset needs the `datasets` package, which is not installed: pip install evo-train[hub]"
        ) from error
    finally:
        if chosen is None:
            del os.environ["USE_TORCH"]
    return datasets
