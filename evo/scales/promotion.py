"""Which individuals go on to the next scale, and which are measured at both to see whether ranks agree."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from evo.runs.generation_zero import gate_of
from evo.runs.lifecycle import Viewed
from evo.scales.definition import LadderScale
from evo.scales.folder import Compared
from evo.standings.standings import Standings
from operators.proposal import Refused
from populations.diversity import normal_form
from trainer.errors import ConfigError


def chosen(viewed: Viewed, known: Collection[int], promote: int, compare: int) -> Compared:
    """Return the individuals of a run that are measured at the next scale too.

    Args:
        known: ids of those that were, in earlier rounds.
        promote: how many go on at most.
        compare: how many are measured in all; those that are missing are a spread over the ranks of the others, so
            that the agreement is not that of winners alone, whose range is cut.
    """
    standings = viewed.standings
    promoted = [one for one in winners(standings)[:promote] if one not in known]
    rest = [one for one in _by_rank(standings) if one not in known and one not in promoted]
    return Compared(promoted, spread(rest, max(0, compare - len(promoted))))


def winners(standings: Standings) -> list[int]:
    """Return individuals that are better than generation 0, best first: confirmed ones where any were confirmed."""
    zero = standings.measured.get(0)
    gains = standings.confirmations.gains()
    if gains:
        feasible = {one.id for one in standings.confirmations.individuals.values() if one.fitness.feasible}
        return [one.individual for one in gains if one.value > 0 and not one.is_behind and one.individual in feasible]
    return [
        one
        for one in _by_rank(standings)
        if zero is None or (standings.measured[one].fitness > zero.fitness and standings.measured[one].fitness.feasible)
    ]


def spread(ranked: Sequence[int], count: int) -> list[int]:
    """Return individuals at even distances over a ranking, its ends among them."""
    if count >= len(ranked):
        return [*ranked]
    if count < 2:
        return [*ranked[-1:]] if count else []
    return [ranked[round(index * (len(ranked) - 1) / (count - 1))] for index in range(count)]


def program_at(scale: LadderScale, source: str, individual: int) -> str | None:
    """Return an individual's program at another scale; None where it cannot be one there.

    It has the constants of that scale, and has to pass what every individual there has to.
    """
    files = scale.config.task.genome_files
    known = {normal_form(scale.generation_zero): 0}
    try:
        program = scale.settings.genome(source, files, f"#{individual}")
        gate_of(scale.config, lambda: scale.generation_zero, known.get).check(program)
    except (ConfigError, Refused):
        return None
    return program


def _by_rank(standings: Standings) -> list[int]:
    """Return all individuals that were measured but generation 0, best first; of equals the older one."""
    measured = sorted(one for one in standings.measured if one)
    return sorted(measured, key=lambda one: standings.measured[one].fitness, reverse=True)
