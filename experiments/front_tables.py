"""Recorded tables with two objectives, whose exact fronts can be enumerated.

NAS-Bench-Graph (Qin et al., 2022, from the wheel of `nas-bench-graph`): 26,206 graph networks on eight data sets. The
wheel holds one number for each architecture and objective, the mean of several trainings, so these tables have no
noise. Architectures that are isomorphic share their numbers. Its ninth data set, proteins, has another and smaller
space, and is left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from experiments.tables import Space
from operators.proposal import Refused
from operators.source.constants import Value
from populations.diversity import Program
from trainer.objectives import Direction, Objective

DATA_SETS = ("arxiv", "citeseer", "computers", "cora", "cs", "photo", "physics", "pubmed")
OBJECTIVES = (Objective("valid_perf", Direction.MAXIMIZE, ""), Objective("latency", Direction.MINIMIZE, "s"))
_COSTS = np.array([-objective.weight for objective in OBJECTIVES])
"""By which values become costs."""


@dataclass(frozen=True)
class FrontTable(Space):
    """A table of two objectives.

    Attributes:
        recorded: shape (configurations, objectives), NaN for what is no architecture. Configurations are in the order
            of `itertools.product`.
    """

    recorded: npt.NDArray[np.float64]

    def exists(self, values: Mapping[str, Value]) -> bool:
        """Return whether a configuration was trained; a few of the space are no architecture."""
        return bool(np.isfinite(self.recorded[self.index(values)]).all())

    def measure(self, values: Mapping[str, Value], seed: int) -> dict[str, float]:  # noqa: ARG002 - there is no noise
        """Return what was recorded, by name."""
        row = self.recorded[self.index(values)]
        return {objective.name: float(value) for objective, value in zip(OBJECTIVES, row, strict=True)}

    def contract(self, program: Program) -> None:
        """Refuse a program that states no configuration of this table."""
        super().contract(program)
        if not self.exists(self.values(program.source)):
            raise Refused("contract", "expected an architecture that computes something")

    def hypervolume_ratio(self, chosen: Iterable[Mapping[str, Value]]) -> float:
        """Return the share of the exact front's hypervolume that some configurations dominate.

        The reference point is the worst of each objective on the exact front, and a tenth of its range beyond that.
        """
        return self._hypervolume([self.recorded[self.index(values)] for values in chosen]) / self._exact

    @cached_property
    def front(self) -> list[tuple[float, ...]]:
        """The exact front: the points that no others dominate, each once."""
        import moocore

        points = np.unique(self.recorded[np.isfinite(self.recorded).all(axis=1)], axis=0)
        maximise = [objective.direction is Direction.MAXIMIZE for objective in OBJECTIVES]
        return [tuple(map(float, row)) for row in points[moocore.is_nondominated(points, maximise=maximise)]]

    @cached_property
    def _exact(self) -> float:
        return self._hypervolume(self.front)

    def _hypervolume(self, points: npt.ArrayLike) -> float:
        import moocore

        exact = np.array(self.front) * _COSTS
        reference = exact.max(axis=0) + 0.1 * np.ptp(exact, axis=0)
        costs = np.reshape(points, (-1, len(OBJECTIVES))) * _COSTS
        return float(moocore.hypervolume(costs, reference)) if len(costs) else 0.0


@cache
def load_front_table(data_set: str) -> FrontTable:
    """Return a table by its data set, one of `DATA_SETS`."""
    from nas_bench_graph import light_read
    from nas_bench_graph.architecture import Arch, gnn_list, link_list

    links = {"-".join(map(str, link)): link for link in link_list}
    space = {"LINK": tuple(links), **{f"OPERATION_{place}": tuple(gnn_list) for place in range(4)}}
    rows = light_read(data_set)
    recorded = np.full((len(links) * len(gnn_list) ** 4, len(OBJECTIVES)), np.nan)
    for place, (link, *operations) in enumerate(itertools.product(*space.values())):
        row = rows.get(Arch(list(links[link]), operations).valid_hash())
        if row is not None:
            recorded[place] = [row[objective.name] for objective in OBJECTIVES]
    return FrontTable(f"nas-bench-graph/{data_set}", space, recorded)
