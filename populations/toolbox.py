"""The toolbox of a run: its selection and its survival, chosen by its objectives."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from deap import base

from populations import selection, survival
from populations.selection import Select
from populations.survival import Survive
from trainer.errors import ConfigError
from trainer.objectives import Objective


class Selection(StrEnum):
    """Ways to choose parents and survivors."""

    TOURNAMENT = "tournament"
    """Tournaments for parents, the best μ survive: one objective."""
    NSGA2 = "nsga2"
    """Rank, then crowding distance (Deb et al., 2002): any number of objectives."""


class Toolbox(base.Toolbox):  # type: ignore[misc]  # DEAP has no types
    """A DEAP toolbox whose two tools have types.

    Attributes:
        select: `(population, count, rng, noise=…) -> parents`.
        survive: `(population, offspring, noise=…) -> survivors`, best first.
    """

    select: Select
    survive: Survive


def build_toolbox(
    objectives: Sequence[Objective],
    mu: int,
    selection_name: str | None = None,
    *,
    tournament_size: int = 2,
) -> Toolbox:
    """Return the tools of a run with a population of `mu`.

    Args:
        objectives: what selection looks at.
        mu: size of the population, individuals.
        selection_name: a value of `Selection`; None chooses tournaments for one objective and NSGA-II for several.
        tournament_size: individuals a tournament; two is enough pressure, since survival is elitist already.

    Raises:
        ConfigError: an unknown name, a size below 1, or tournaments over several objectives.
    """
    _require_positive("the population", mu)
    _require_positive("a tournament", tournament_size)
    toolbox = Toolbox()
    if _choose(objectives, selection_name) is Selection.TOURNAMENT:
        toolbox.register("select", selection.tournament, tournament_size=tournament_size)
        toolbox.register("survive", survival.mu_plus_lambda, mu=mu)
    else:
        toolbox.register("select", selection.nsga2)
        toolbox.register("survive", survival.nsga2, mu=mu)
    return toolbox


def _choose(objectives: Sequence[Objective], name: str | None) -> Selection:
    if not objectives:
        raise ConfigError("expected at least one objective to select on, but none was given; name one, e.g. val_bpb.")
    if name is None:
        return Selection.TOURNAMENT if len(objectives) == 1 else Selection.NSGA2
    if name not in [*Selection]:
        expected = " or ".join(f'"{choice}"' for choice in Selection)
        raise ConfigError(f'selection must be {expected}, but it was "{name}".')
    if name == Selection.TOURNAMENT and len(objectives) > 1:
        names = ", ".join(objective.name for objective in objectives)
        raise ConfigError(f'selection "tournament" compares one objective, but {names} were given; use "nsga2".')
    return Selection(name)


def _require_positive(what: str, size: int) -> None:
    if size < 1:
        raise ConfigError(f"{what} must have at least 1 individual, but it had {size}.")
