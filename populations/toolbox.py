"""The toolbox of a run: its selection and its survival, chosen by its objectives."""

from __future__ import annotations

from collections.abc import Sequence

from deap import base

from populations import selection, survival
from populations.selection import Select
from populations.survival import Survive
from trainer.errors import ConfigError
from trainer.objectives import Objective


class Toolbox(base.Toolbox):  # type: ignore[misc]  # DEAP has no types
    """A DEAP toolbox whose two tools have types.

    Attributes:
        select: `(population, count, rng, noise=…) -> parents`.
        survive: `(population, offspring, noise=…) -> survivors`, best first.
    """

    select: Select
    survive: Survive


def build_toolbox(objectives: Sequence[Objective], mu: int, *, tournament_size: int = 2) -> Toolbox:
    """Return the tools of a run with a population of `mu`.

    With one objective, tournaments choose the parents and the best survive. Tournaments of two are enough pressure,
    since survival is elitist already. With several objectives both go by NSGA-II (Deb et al., 2002).

    Raises:
        ConfigError: there is no objective, or a size is below 1.
    """
    if not objectives:
        raise ConfigError("expected at least one objective to select on, but none was given; name one, e.g. val_bpb.")
    for what, size in (("the population", mu), ("a tournament", tournament_size)):
        if size < 1:
            raise ConfigError(f"{what} must have at least 1 individual, but it had {size}.")
    toolbox = Toolbox()
    if len(objectives) == 1:
        toolbox.register("select", selection.tournament, tournament_size=tournament_size)
        toolbox.register("survive", survival.mu_plus_lambda, mu=mu)
    else:
        toolbox.register("select", selection.nsga2)
        toolbox.register("survive", survival.nsga2, mu=mu)
    return toolbox
