"""Offspring that nearly repeat what was tried before.

The same idea in other words costs an evaluation and teaches nothing. But late gains are often one changed constant, a
failed program may be one line away from a good one, and a good one from a better one. So an offspring is compared only
with what was measured to be worse than its parent, and structures are: other constants in the same code are no
repetition.
"""

from __future__ import annotations

from collections.abc import Mapping

from operators.source.constants import constants_and_structure
from populations.similarity import similarity


class Repeats:
    """Finds which of some sources another one nearly repeats.

    Args:
        worse: sources that came out worse than their parent, by individual; each parses.
        threshold: share of common code from which a source is a repetition, in (0, 1].
    """

    def __init__(self, worse: Mapping[int, str], threshold: float) -> None:
        self._worse = worse
        self._threshold = threshold
        self._structures: dict[int, str] = {}  # read when first needed: an operator may ask about many drafts

    def of(self, source: str) -> int | None:
        """Return the individual that `source` repeats most nearly, None where it repeats none.

        Raises:
            SyntaxError: `source` is no Python.
        """
        alike = {one: similarity(source, other) for one, other in self._worse.items()}
        near = [one for one, share in alike.items() if share >= self._threshold]
        if not near:
            return None
        structure = constants_and_structure(source)[1]
        repeated = [one for one in near if self._structure(one) != structure]
        return max(repeated, key=lambda one: (alike[one], -one), default=None)

    def _structure(self, individual: int) -> str:
        if individual not in self._structures:
            self._structures[individual] = constants_and_structure(self._worse[individual])[1]
        return self._structures[individual]
