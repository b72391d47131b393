"""Islands: subpopulations that breed separately and sometimes send their best around a ring.

An island that has converged cannot crowd out the others (Whitley, Rana and Heckendorn, 1999). A maximum age does the
same within a population: only the best stays for ever (Hornby, 2006, and the aging evolution of Real et al., 2019).
"""

from __future__ import annotations

from collections.abc import Sequence

from deap import tools

from populations.dominance import NO_NOISE, Noise
from populations.individual import Individual
from populations.survival import Survive


class Islands:
    """A population on one island or several, where offspring compete for places at home only.

    Offspring `n` is at home on island `n` modulo their number: the islands are a function of the results.

    Args:
        survive: selects the survivors of an island.
        mu: individuals on all islands together.
        count: islands; 1 is an ordinary population.
        migrate_every: offspring after which each island sends its best to the next one.
        migrants: how many it sends.
        max_age: results that an individual stays for, unless it is the best of its island; 0 for ever.
    """

    def __init__(
        self,
        survive: Survive,
        mu: int,
        count: int = 1,
        *,
        migrate_every: int = 1,
        migrants: int = 1,
        max_age: int = 0,
    ) -> None:
        self._survive = survive
        self._sizes = [len(range(index, mu, count)) for index in range(count)]
        self._islands: list[list[Individual]] = [[] for _ in range(count)]
        self._migrate_every = migrate_every
        self._migrants = migrants
        self._max_age = max_age
        self._arrived: dict[int, int] = {}

    def home(self, number: int) -> list[Individual]:
        """Return the island on which the offspring of proposal `number` competes, best individual first."""
        return self._islands[number % len(self._islands)]

    def everyone(self) -> list[Individual]:
        """Return the individuals of all islands, each once; the best first, of equals the older."""
        if len(self._islands) == 1:
            return self._islands[0]
        by_age = sorted({one for island in self._islands for one in island}, key=lambda one: one.id)
        return sorted(by_age, key=lambda one: one.fitness, reverse=True)

    def settle(self, founder: Individual, result_number: int, noise: Noise = NO_NOISE) -> None:
        """Place an individual, generation 0, on every island."""
        self._arrived[founder.id] = result_number
        for index, size in enumerate(self._sizes):
            self._islands[index] = self._survive(self._islands[index], [founder], mu=size, noise=noise)

    def admit(self, offspring: Sequence[Individual], result_number: int, noise: Noise = NO_NOISE) -> None:
        """Let measured offspring compete for places on their home islands."""
        self._arrived.update((one.id, result_number) for one in offspring)
        for index, size in enumerate(self._sizes):
            newborn = [one for one in offspring if one.id % len(self._islands) == index]
            if newborn:
                island = self._young(self._islands[index], newborn, result_number, noise)
                self._islands[index] = self._survive(island, newborn, mu=size, noise=noise)

    def migrate(self, searched: int) -> bool:
        """Send the best of each island to the next one every `migrate_every` results; return whether it did.

        Migrants take the places of those that leave, so none is lost or doubled.

        Args:
            searched: results of offspring so far.
        """
        if len(self._islands) == 1 or searched % self._migrate_every:
            return False
        migrants = min(self._migrants, *map(len, self._islands))
        tools.migRing(self._islands, migrants, lambda island, count: island[:count])
        # Generation 0 is on several islands, and may migrate to where it is already.
        self._islands = [list(dict.fromkeys(island)) for island in self._islands]
        for index, size in enumerate(self._sizes):
            self._islands[index] = self._survive(self._islands[index], [], mu=size)  # best first again
        return True

    def _young(
        self, island: list[Individual], newborn: list[Individual], result_number: int, noise: Noise
    ) -> list[Individual]:
        """Return the members of an island that are young enough to stay."""
        if not self._max_age:
            return island
        best = self._survive(island, newborn, mu=1, noise=noise)
        return [one for one in island if one in best or result_number - self._arrived[one.id] <= self._max_age]
