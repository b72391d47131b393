"""The prepared corpus: made once, found again, and checked whenever it is loaded."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainer.corpus.cache import default_cache, locked, remove_abandoned, replaced
from trainer.corpus.documents import Source
from trainer.corpus.manifest import FORMAT, VOCABULARY_FILE, Manifest, Part, token_file
from trainer.corpus.preparation import Progress, write_corpus
from trainer.corpus.sources import EMBEDDED, find_source
from trainer.corpus.splits import TRAIN
from trainer.corpus.vocabulary import DEFAULT_SIZE, Vocabulary, require_size
from trainer.errors import DatasetError, MachineError, refusal
from trainer.evaluation import Split

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Corpus:
    """A prepared corpus on disk; the object itself is small and can be sent to other processes.

    Attributes:
        name: of the source, for people.
        digest: sha256 that names the prepared content; equal digests mean equal tokens, splits and vocabulary.
        folder: where its files are.
        vocab_size: token ids run from 0 to vocab_size - 1.
        separator: id of the token that precedes every document (the last id).
        parts: documents, text bytes and tokens of `train` and of each held-out split.
        token_bytes: shape (vocab_size,), int32, bytes of UTF-8 per token id; 0 for the separator.
    """

    name: str
    digest: str
    folder: Path
    vocab_size: int
    separator: int
    parts: Mapping[str, Part] = field(repr=False, hash=False)
    token_bytes: npt.NDArray[np.int32] = field(repr=False, compare=False)

    @property
    def train_path(self) -> Path:
        """The training tokens: raw little-endian int32, each document preceded by the separator."""
        return self.folder / token_file(TRAIN)

    @property
    def train_tokens(self) -> int:
        """How many training tokens there are, separators included."""
        return self.parts[TRAIN].tokens

    def held_out(self, split: Split) -> npt.NDArray[np.int32]:
        """Return the tokens of a held-out split: shape (n,), each document preceded by the separator."""
        return np.fromfile(self.folder / token_file(split.value), "<i4").astype(np.int32, copy=False)


def prepare(
    dataset: str = EMBEDDED,
    *,
    vocab_size: int = DEFAULT_SIZE,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """Return the prepared corpus of `dataset`, preparing it first unless a sound one is in the cache.

    Several processes may prepare the same corpus at once: one works, the others wait for its result.

    Args:
        dataset: `sotu`, a path of a file or folder of text, or a Hugging Face dataset `name` or `name:config`.
        vocab_size: token ids, the separator included.
        cache: the folder of prepared corpora; `default_cache()` unless given.
        progress: called with the stage, the amount done and the total, which is 0 while unknown.

    Raises:
        DatasetError: the dataset does not exist, cannot be read, or is too small.
        MachineError: the cache cannot be written.
    """
    require_size(vocab_size)
    source = find_source(dataset)
    folder = _folder(source, vocab_size, cache or default_cache())
    tell = progress or (lambda *_: None)
    if folder.exists() and (corpus := _load_sound(folder)):
        return corpus
    try:
        with locked(folder, lambda: tell("wait for another preparation", 0, 0)):
            remove_abandoned(folder.parent)
            if not (corpus := _load_sound(folder)):
                with replaced(folder) as partial:
                    write_corpus(source, partial, vocab_size, tell)
                corpus = load(folder)
            return corpus
    except OSError as error:
        raise MachineError(
            f"Could not write the prepared corpus {folder}: {refusal(error)} Or set EVO_CACHE to another folder."
        ) from error


def load(folder: Path) -> Corpus:
    """Return the corpus that was prepared in `folder`, after checking its files' sizes and checksums.

    Token files above 256 MiB are checked by size, beginning and end alone.

    Raises:
        DatasetError: there is none, or a file is damaged; the message names it and the command that repairs it.
    """
    manifest = Manifest.load(folder)
    manifest.verify(folder)
    token_bytes = Vocabulary.load(folder / VOCABULARY_FILE).token_bytes()
    token_bytes.flags.writeable = False
    return Corpus(
        name=manifest.name,
        digest=manifest.digest,
        folder=folder,
        vocab_size=manifest.vocab_size,
        separator=manifest.separator,
        parts=manifest.parts,
        token_bytes=token_bytes,
    )


def _folder(source: Source, vocab_size: int, cache: Path) -> Path:
    """Return the folder of this corpus; another source, vocabulary or format has another one."""
    key = hashlib.sha256(json.dumps([FORMAT, source.fingerprint(), vocab_size]).encode()).hexdigest()[:12]
    slug = re.sub(r"[^A-Za-z0-9]+", "-", source.name)[:40].strip("-") or "corpus"
    return cache / "corpora" / f"{slug}-{key}"


def _load_sound(folder: Path) -> Corpus | None:
    """Return the corpus in `folder`, or None when there is none or it is damaged."""
    try:
        return load(folder) if folder.exists() else None
    except DatasetError as error:
        _log.warning("%s", error)
        return None
