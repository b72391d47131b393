"""Finds near-duplicates, so that no held-out document has a twin in the training split.

Documents are compared by the Jaccard similarity of their shingles (windows of 32 bytes, about six words, of the text
with case and white space normalised), estimated by MinHash: Broder 1997, in the form of one permutation with bins (Li,
Owen, Zhang 2012), empty bins filled from a neighbour (Shrivastava, Li 2014). Candidates come from locality-sensitive
hashing: documents that agree in all bins of a band. The time is linear in the text plus n log n in the number of
documents n.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SIMILARITY = 0.8
"""Documents at least this similar count as the same one (the threshold of Lee et al. 2021 and of the Gopher corpus)."""

SIGNATURE_BINS = 64
_BAND_BINS = 4
"""16 bands of 4 bins: a pair of similarity 0.8 is compared with probability 0.9998, one of 0.3 with 0.12."""
_LOOK_BACK = 8
"""Each document is compared with so many before it in its bucket, and with the first: linear in the bucket's size."""
_PAIRS_AT_ONCE = 1 << 16
_SHINGLE_BYTES = 32
_EMPTY = np.uint32(0xFFFFFFFF)
_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, from the golden ratio: the usual base of a polynomial hash modulo 2^64
_MIXER = np.uint64(0xD6E8FEB86659FD93)

Signature = npt.NDArray[np.uint32]


def normalise(utf8: bytes) -> bytes:
    """Return the text without differences in case and white space."""
    return " ".join(utf8.decode().casefold().split()).encode()


def digest(normalised: bytes) -> bytes:
    """Return what exact duplicates share, 32 bytes."""
    return hashlib.sha256(normalised).digest()


def signature(normalised: bytes) -> Signature:
    """Return the MinHash signature of a normalised document: shape (SIGNATURE_BINS,).

    Two signatures agree in a bin with a probability equal to the Jaccard similarity of the documents' shingles.
    """
    hashes = _shingle_hashes(normalised)
    bins = (hashes >> np.uint64(58)).astype(np.intp)  # the top 6 bits choose one of 64 bins, the low 32 are compared
    minima = np.full(SIGNATURE_BINS, _EMPTY)
    np.minimum.at(minima, bins, hashes.astype(np.uint32))
    filled = np.flatnonzero(minima != _EMPTY)
    nearest = filled[np.searchsorted(filled, np.arange(SIGNATURE_BINS)) % len(filled)]  # the next filled bin, circular
    return minima[nearest]


def _shingle_hashes(text: bytes) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of every window of `_SHINGLE_BYTES`; a shorter text is one window."""
    hashes = np.frombuffer(text.ljust(_SHINGLE_BYTES, b"\0"), np.uint8).astype(np.uint64) + np.uint64(1)
    width, power = 1, _MULTIPLIER
    while width < _SHINGLE_BYTES:  # a window of 2w bytes from its two halves; NumPy's integers wrap around
        hashes = hashes[:-width] * np.uint64(power) + hashes[width:]
        width, power = 2 * width, power * power % 2**64
    hashes ^= hashes >> np.uint64(32)  # polynomial hashes have weak low bits: mix the high ones into them
    hashes *= _MIXER
    hashes ^= hashes >> np.uint64(32)
    return hashes


def first_of_each(digests: Sequence[bytes], signatures: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Mark the documents without a near-duplicate before them: shape (n,), from signatures of (n, SIGNATURE_BINS).

    Documents of equal digests are duplicates without further comparison.
    """
    keep = np.ones(len(digests), np.bool_)
    seen: set[bytes] = set()
    for number, exact in enumerate(digests):
        keep[number] = exact not in seen
        seen.add(exact)
    for band in range(0, SIGNATURE_BINS, _BAND_BINS):
        keep[_repeats_in_band(signatures, band)] = False
    return keep


def _repeats_in_band(signatures: npt.NDArray[np.uint32], band: int) -> npt.NDArray[np.intp]:
    """Return the documents that are near-duplicates of an earlier one in their bucket of a band."""
    halves = np.ascontiguousarray(signatures[:, band : band + _BAND_BINS]).view(np.uint64)
    keys = halves[:, 0] * _MIXER + halves[:, 1]  # a collision only makes one more comparison
    order = np.argsort(keys, kind="stable")  # bucket after bucket, within one in source order
    firsts = np.searchsorted(keys[order], keys[order])
    places = np.arange(len(order))
    repeats = []
    for earlier in (firsts, *(places - lag for lag in range(1, _LOOK_BACK + 1))):
        later = places[(earlier >= firsts) & (earlier < places)]
        repeats.append(order[later][_similar(signatures, order[later], order[earlier[later]])])
    return np.concatenate(repeats)


def _similar(
    signatures: npt.NDArray[np.uint32], left: npt.NDArray[np.intp], right: npt.NDArray[np.intp]
) -> npt.NDArray[np.bool_]:
    """Mark the pairs whose estimated similarity reaches `SIMILARITY`, some at a time to bound memory."""
    verdict = np.empty(len(left), np.bool_)
    for start in range(0, len(left), _PAIRS_AT_ONCE):
        some = slice(start, start + _PAIRS_AT_ONCE)
        verdict[some] = (signatures[left[some]] == signatures[right[some]]).mean(axis=1) >= SIMILARITY
    return verdict
