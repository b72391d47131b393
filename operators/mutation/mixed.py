"""The baseline: a random change of constants or of structure."""

from __future__ import annotations

from random import Random

from operators.attempts import Draft, Mutation
from operators.mutation.constants import ConstantMutation
from operators.mutation.structure import StructureMutation
from operators.proposal import NoOffspring
from operators.protection import UNPROTECTED, Protection

CONSTANTS_RATE = 0.5


class RandomMutation(Mutation):
    """Changes constants with probability `CONSTANTS_RATE`, one place of the structure otherwise.

    `device` is that of `ConstantMutation`.
    """

    name = "random"

    def __init__(self, device: str = "") -> None:
        self._constants = ConstantMutation(device)
        self._structure = StructureMutation()

    def mutate(self, source: str, random: Random, protection: Protection = UNPROTECTED) -> Draft:
        """Change constants or structure; the other of the two where one finds nothing to change.

        Raises:
            NoOffspring: neither finds anything.
        """
        kinds = [self._constants.mutate, self._structure.mutate]
        if random.random() >= CONSTANTS_RATE:
            kinds.reverse()
        preferred, other = kinds
        try:
            return preferred(source, random, protection)
        except NoOffspring:
            return other(source, random, protection)
