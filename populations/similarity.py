"""How much of their code two sources have in common.

A source is the set of its runs of three tokens, and the similarity of two sources is the share of those that both have
(the resemblance of Broder, 1997). It takes milliseconds where an alignment of whole programs takes seconds, and moved
code counts as the same code.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_SOURCES_KEPT = 32
"""A population of the default size with some of the archive; less than half a megabyte each."""

_TOKEN = re.compile(
    r"#.*"  # comments say nothing about what a program does
    r"|\d[\w.]*(?:(?<=[eE])[-+]\d+)?"
    r"|\w+|[^\w\s]"  # names, and the words of texts
)


def similarity(first: str, second: str) -> float:
    """Return a number in [0, 1]: 1 for the same tokens in the same order, 0 where no three tokens follow alike."""
    runs, others = _runs(first), _runs(second)
    if not runs and not others:
        return 1.0
    common = len(runs & others)
    return common / (len(runs) + len(others) - common)


def distance(first: str, second: str) -> float:
    """Return 1 minus the similarity: a metric."""
    return 1.0 - similarity(first, second)


@lru_cache(maxsize=_SOURCES_KEPT)
def _runs(source: str) -> frozenset[int]:
    # The ends stand for themselves, so that the shortest source has a run too.
    tokens = ["", *(token for token in _TOKEN.findall(source) if not token.startswith("#")), ""]
    return frozenset(hash((*first, second[1])) for first, second in pairwise(pairwise(tokens)))
