"""Cuts long documents into pieces, between paragraphs where that can be done."""

from __future__ import annotations

_MARKS = (b"\n\n", b"\n\r\n", b"\n", b" ")
"""Where to cut, the best place first."""

FEW_DOCUMENTS = 60
LONG_PIECE_BYTES = 64 * 1024
SHORT_PIECE_BYTES = 2 * 1024
_PIECES_OF_A_SMALL_CORPUS = 100
_LONG_DOCUMENT_PIECES = 4


def piece_bytes(documents: int, total_bytes: int) -> int:
    """Return the size of the pieces that long documents are cut into.

    64 KiB; but a corpus of fewer than `FEW_DOCUMENTS` (a folder with one book) gets pieces of a hundredth of its size,
    though not below 2 KiB, so that the held-out splits can be spread over it.
    """
    if documents >= FEW_DOCUMENTS:
        return LONG_PIECE_BYTES
    return max(SHORT_PIECE_BYTES, min(LONG_PIECE_BYTES, total_bytes // _PIECES_OF_A_SMALL_CORPUS))


def cut(utf8: bytes, target_bytes: int) -> list[int]:
    """Return the ends of the pieces of one document, in bytes; the last is its length.

    A document of up to four pieces stays whole, so that ordinary documents (every embedded speech) are never cut.
    """
    ends = []
    if len(utf8) > _LONG_DOCUMENT_PIECES * target_bytes:
        start = 0
        while len(utf8) - start > target_bytes * 3 // 2:
            start = boundary(utf8, start + target_bytes // 2, start + target_bytes)
            ends.append(start)
    return [*ends, len(utf8)]


def boundary(utf8: bytes, low: int, high: int) -> int:
    """Return the last good place to cut from `low` to `high`: after a paragraph, line, word, or else a character."""
    for mark in _MARKS:
        if (found := utf8.rfind(mark, low, high)) >= 0:
            return found + len(mark)
    while low < high < len(utf8) and utf8[high] & 0xC0 == 0x80:  # a continuation byte: inside a character
        high -= 1
    return high
