"""From a source to the files of a corpus: read, remove near-duplicates, split, learn the vocabulary, encode."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainer.corpus import duplicates, vocabulary
from trainer.corpus.documents import Source
from trainer.corpus.manifest import VOCABULARY_FILE, Manifest, Part, record, token_file
from trainer.corpus.splits import BLOCK_DOCUMENTS, TRAIN, block_documents, split
from trainer.corpus.spool import Spool
from trainer.errors import DatasetError

Progress = Callable[[str, int, int], None]
"""Called with the stage, the amount done and the total; 0 where that is unknown."""

TEXT_LIMIT_BYTES = 4_000_000_000
"""Larger sources are read up to here: more than 10⁹ tokens, more than a short budget can use."""
DOCUMENT_LIMIT = 2_000_000
VOCABULARY_TEXT_BYTES = 256_000_000
"""Of the training split, evenly taken, from which the vocabulary is learned."""
LEAST_HELD_OUT_TOKENS = 1024

_DOCUMENTS_AT_ONCE = 64

_log = logging.getLogger(__name__)


def write_corpus(source: Source, folder: Path, vocab_size: int, progress: Progress) -> None:
    """Prepare `source` into the empty `folder`, manifest included.

    Raises:
        DatasetError: the source cannot be read, changed meanwhile, or holds too little text.
    """
    fingerprint = source.fingerprint()
    spool_path = folder / "documents.utf8"
    with Spool(spool_path) as spool:
        spool_path.unlink()  # the open file serves to the end, and nothing is left of it after that
        complete = _read(source, spool, progress)
        if source.fingerprint() != fingerprint:
            raise DatasetError(f"The files of {source.dataset} changed while they were read. Run the command again.")
        source_sha256 = spool.finish()
        kept, digests = _without_duplicates(spool, folder, progress)
        parts = _split(source, spool, kept, digests)
        words = vocabulary.train(_training_texts(spool, parts[TRAIN], progress), vocab_size)
        words.save(folder / VOCABULARY_FILE)
        tokens = _encode(spool, parts, words, folder, progress)
        _require_enough(source, tokens)
        Manifest(
            name=source.name,
            dataset=source.dataset,
            vocab_size=vocab_size,
            separator=words.separator,
            source_sha256=source_sha256,
            source_bytes=spool.bytes,
            complete=complete,
            near_duplicates=len(spool) - len(kept),
            parts={part: _measure(spool, members, tokens[part]) for part, members in parts.items()},
            held_out={part: [*map(spool.source, members)] for part, members in parts.items() if part != TRAIN},
            files={name: record(folder / name) for name in [VOCABULARY_FILE, *map(token_file, parts)]},
        ).save(folder)


def _measure(spool: Spool, members: npt.NDArray[np.intp], tokens: int) -> Part:
    return Part(documents=len(members), bytes=sum(map(spool.size, members)), tokens=tokens)


def _read(source: Source, spool: Spool, progress: Progress) -> bool:
    """Copy the documents that hold any text to the spool; return whether all of them were read."""
    total = source.size_bytes()
    progress("read", 0, total)
    for document in source.documents():
        if document.utf8.isspace() or not document.utf8:
            continue
        if spool.bytes + len(document.utf8) > TEXT_LIMIT_BYTES or len(spool) == DOCUMENT_LIMIT:
            _log.warning("Using the first %d documents (%d bytes) of %s.", len(spool), spool.bytes, source.dataset)
            return False
        spool.append(document)
        progress("read", spool.bytes, max(total, spool.bytes) if total else 0)
    if not len(spool):
        raise DatasetError(f"Expected text in {source.dataset}, but it holds none. Give a dataset with text.")
    return True


def _without_duplicates(spool: Spool, folder: Path, progress: Progress) -> tuple[npt.NDArray[np.intp], list[bytes]]:
    """Return the documents that are no near-duplicates of earlier ones, and their digests."""
    path = folder / "signatures.u32"
    signatures = np.memmap(path, np.uint32, "w+", shape=(len(spool), duplicates.SIGNATURE_BINS))
    digests = []
    for number in range(len(spool)):
        normalised = duplicates.normalise(spool[number])
        digests.append(duplicates.digest(normalised))
        signatures[number] = duplicates.signature(normalised)
        progress("compare", number + 1, len(spool))
    kept = np.flatnonzero(duplicates.first_of_each(digests, signatures))
    path.unlink()
    return kept, [digests[number] for number in kept]


def _split(
    source: Source, spool: Spool, kept: npt.NDArray[np.intp], digests: list[bytes]
) -> dict[str, npt.NDArray[np.intp]]:
    if len(kept) < BLOCK_DOCUMENTS:
        removed = len(spool) - len(kept)
        raise DatasetError(
            f"Expected at least {BLOCK_DOCUMENTS} different documents or pieces to split, but {source.dataset} has "
            f"{len(kept)} ({removed} near-duplicates were removed). Give more text: about 100 kB at least."
        )
    block = block_documents(len(kept), sum(spool.size(number) for number in kept))
    return {part: kept[members] for part, members in split(digests, block).items()}


def _training_texts(spool: Spool, members: npt.NDArray[np.intp], progress: Progress) -> Iterator[str]:
    """Yield documents of the training split, evenly taken, of about `VOCABULARY_TEXT_BYTES` in total."""
    every = 1 + sum(spool.size(number) for number in members) // VOCABULARY_TEXT_BYTES
    some = members[::every]
    for done, number in enumerate(some):
        progress("vocabulary", done, len(some))
        yield spool[number].decode()
    progress("vocabulary", len(some), len(some))


def _encode(
    spool: Spool,
    parts: dict[str, npt.NDArray[np.intp]],
    words: vocabulary.Vocabulary,
    folder: Path,
    progress: Progress,
) -> dict[str, int]:
    """Write the token file of each part and return how many tokens it has."""
    encoder = words.encoder()
    separator = np.array([words.separator], "<i4").tobytes()

    def encode(number: int) -> bytes:
        tokens = encoder.encode_to_numpy(spool[number].decode(), disallowed_special=())
        return separator + tokens.astype("<i4").tobytes()

    counts, done, total = {}, 0, sum(map(len, parts.values()))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part, members in parts.items():
            with (folder / token_file(part)).open("wb") as file:
                for start in range(0, len(members), _DOCUMENTS_AT_ONCE):
                    for encoded in pool.map(encode, members[start : start + _DOCUMENTS_AT_ONCE].tolist()):
                        file.write(encoded)
                        done += 1
                        progress("encode", done, total)
                counts[part] = file.tell() // 4
    return counts


def _require_enough(source: Source, tokens: dict[str, int]) -> None:
    part, fewest = min(tokens.items(), key=lambda item: item[1])
    if fewest < LEAST_HELD_OUT_TOKENS:
        raise DatasetError(
            f"Expected at least {LEAST_HELD_OUT_TOKENS} tokens in every held-out split, but of {source.dataset} split "
            f"{part} gets {fewest}. Give more text: about 100 kB at least."
        )
