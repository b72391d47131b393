"""Scripts of constants with known losses and unstated ranges: what tuning meets where no comment says what is sensible.

A family is a kind of landscape; a seed draws one of it: where its best place lies, which constants matter, which are
coupled. Losses are in the size of real ones: generation 0 is some 0.02 above the best place, and one evaluation has a
standard deviation of 0.0005, as large as late gains. A script crashes where sizes do not divide or do not fit into
memory, or where a rate is so large that it diverges.

    transformer   14 constants like those of a small GPT: powers of two, divisibility, memory, a pair of betas
    valley        12 coupled constants of which some combinations matter a hundred times as much as others
    sparse        20 constants, five of which matter
    stairs        12 constants with steps and ripples, as a forest or few recorded trainings give them
    far           10 constants, three of which are wrong by a factor of 10 to 30, close to where it diverges
    structures    12 constants of two programs; the other one, two edits of an operator away, is better elsewhere
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from operators.proposal import Refused
from operators.source.constants import Value, find_constants, replace_constants
from populations.diversity import Program

Values = Mapping[str, Value]

NOISE = 0.0005
"""Standard deviation of one evaluation."""
GAIN = 0.02
"""From generation 0 to the best place."""
_BEST = 0.976
_STRUCTURE = "structure"
"""The key under which values hold the program that their constants belong to."""
_MIXED = "rate * size"
_SUMMED = "rate + size"


@dataclass(frozen=True)
class Knob:
    """One number of a script, an element of a tuple where it has a place in one.

    Attributes:
        start: its value in generation 0.
        shift: from there to the best value, on the number's scale.
        is_fraction: whether it lies in (0, 1), on the scale of log(x / (1 - x)); on a logarithmic one otherwise.
    """

    name: str
    start: float
    shift: float
    is_fraction: bool = False
    element: int | None = None

    def value(self, values: Values) -> float:
        """Return the number that values hold."""
        held = values[self.name]
        number = held[self.element] if isinstance(held, tuple) and self.element is not None else held
        assert isinstance(number, int | float)
        return float(number)

    def distance(self, values: Values) -> float:
        """Return how far the number is from the best one, on its scale."""
        return self._stretched(self.value(values)) - self._stretched(self.start) - self.shift

    def _stretched(self, value: float) -> float:
        if self.is_fraction:
            if not 0 <= value <= 1:
                raise ValueError(f"{self.name} must be in [0, 1], but it was {value}")
            value = min(max(value, 0.002), 1 - 1e-6)
            return math.log(value / (1 - value))
        if value <= 0:
            raise ValueError(f"{self.name} must be positive, but it was {value}")
        return math.log(value)


@dataclass(frozen=True)
class Landscape:
    """One script and the loss of every setting of its constants.

    Attributes:
        name: family and seed.
        source: of generation 0.
        knobs: the numbers that the loss depends on, at most.
        curvature: of the loss around the best place, shape (knobs, knobs), positive semidefinite.
        crashes: returns why a setting crashes; empty where it does not.
        bend: turns a squared distance into a loss, 0 at 0 and growing.
        ripple: height of waves over the distance of each knob, as a share of `GAIN`.
        stairs: width of steps on the scale of the knobs; 0 for none.
        handicap: loss of generation 0's structure that the other one does not have, as a share of `GAIN`.
        other: what the distances are shifted by in the other structure, shape (knobs,).
    """

    name: str
    source: str
    knobs: tuple[Knob, ...]
    curvature: npt.NDArray[np.float64]
    crashes: Callable[[Values], str]
    bend: Callable[[float], float] = lambda squared: math.sqrt(1 + squared) - 1
    ripple: float = 0.0
    stairs: float = 0.0
    handicap: float = 0.0
    other: npt.NDArray[np.float64] | None = None

    @property
    def start(self) -> dict[str, Value]:
        """The values of generation 0."""
        return self.values(self.source)

    def genome(self, values: Values) -> str:
        """Return generation 0 with these constants."""
        return replace_constants(self.source, {name: one for name, one in values.items() if name != _STRUCTURE})

    def values(self, genome: str) -> dict[str, Value]:
        """Return the constants of a script, and its structure where there are two.

        Raises:
            ValueError: it has neither structure.
        """
        values: dict[str, Value] = {name: constant.value for name, constant in find_constants(genome).items()}
        if self.other is not None:
            values[_STRUCTURE] = next((one for one in (_SUMMED, _MIXED) if one in genome), "")
            if not values[_STRUCTURE]:
                raise ValueError("this program does not train")
        return values

    def draw(self, chance: random.Random) -> dict[str, Value]:  # noqa: ARG002 - every search has the same start
        """Return the values of generation 0."""
        return self.start

    def contract(self, program: Program) -> None:
        """Refuse a program without these constants."""
        missing = sorted({one.name for one in self.knobs} - set(find_constants(program.source)))
        if missing:
            raise Refused("contract", f"expected the constants {', '.join(missing)}")

    def measure(self, values: Values, seed: int) -> dict[str, float]:
        """Return what one training gives, by name.

        Raises:
            ValueError: it crashes.
        """
        key = ",".join(f"{name}={value!r}" for name, value in sorted(values.items()))
        return {"loss": self.loss(values) + random.Random(f"{self.name}:{key}:{seed}").gauss(0.0, NOISE)}

    def loss(self, values: Values) -> float:
        """Return the mean loss over all seeds.

        Raises:
            ValueError: it crashes.
        """
        excess = self._excess(values)
        if problem := self.crashes(values):
            raise ValueError(problem)
        return _BEST + GAIN * excess / self._excess_of_start

    def regret(self, values: Values) -> float:
        """Return the share of the possible gain over generation 0 that a setting leaves: 1.0 is no gain at all."""
        return (self.loss(values) - _BEST) / GAIN

    @cached_property
    def _excess_of_start(self) -> float:
        return self._excess(self.start)

    def _excess(self, values: Values) -> float:
        apart = np.array([knob.distance(values) for knob in self.knobs])
        is_other = values.get(_STRUCTURE) == _MIXED
        if self.other is not None and is_other:
            apart = apart - self.other
        if self.stairs:
            apart = self.stairs * np.round(apart / self.stairs)
        excess = self.bend(float(apart @ self.curvature @ apart))
        weights = np.sqrt(np.diag(self.curvature))
        excess += self.ripple * float((weights * (1 - np.cos(5.0 * apart))).sum())
        return excess + (0.0 if is_other else self.handicap)


def landscape(family: str, seed: int) -> Landscape:
    """Return one landscape of a family; the same for the same seed."""
    return replace(FAMILIES[family](np.random.default_rng([seed, len(family)])), name=f"{family}/{seed}")


def _written(constants: Mapping[str, Value], body: str) -> str:
    lines = [f"{name} = {value!r}" for name, value in constants.items()]
    return "\n".join(['"""A script of constants."""', "", *lines, "", "", body, ""])


_BODY = """def train():
    rate, size = 1.0, 2.0
    return rate + size"""


def _plain(names: Sequence[tuple[str, float, bool]], chance: np.random.Generator, reach: float) -> tuple[Knob, ...]:
    """Return knobs that are each wrong by about `reach` on their scales."""
    return tuple(Knob(name, start, float(chance.normal(0.0, reach)), is_fraction) for name, start, is_fraction in names)


def _relevances(count: int, chance: np.random.Generator, spread: float = 1.0) -> npt.NDArray[np.float64]:
    """Return curvatures that differ by orders of magnitude, as those of hyperparameters do."""
    relevances: npt.NDArray[np.float64] = np.exp(chance.normal(0.0, spread, count))
    return relevances


def _rotated(relevances: npt.NDArray[np.float64], chance: np.random.Generator) -> npt.NDArray[np.float64]:
    basis, _ = np.linalg.qr(chance.normal(size=(len(relevances), len(relevances))))
    curvature: npt.NDArray[np.float64] = basis @ np.diag(relevances) @ basis.T
    return curvature


def _never(values: Values) -> str:  # noqa: ARG001 - nothing crashes
    return ""


def _diverging(limits: Mapping[str, float]) -> Callable[[Values], str]:
    def crashes(values: Values) -> str:
        for name, limit in limits.items():
            if float(values[name]) > limit:  # type: ignore[arg-type]
                return f"the loss is NaN with {name} {values[name]}"
        return ""

    return crashes


_RATES = (
    ("LR", 1e-3, False),
    ("HEAD_LR", 0.02, False),
    ("EMBEDDING_LR", 0.6, False),
    ("WEIGHT_DECAY", 0.1, False),
    ("MOMENTUM", 0.9, True),
    ("BETA2", 0.98, True),
    ("WARMUP_RATIO", 0.05, True),
    ("FINAL_FRACTION", 0.1, True),
    ("INIT_STD", 0.02, False),
    ("GRAD_CLIP", 1.0, False),
    ("TEMPERATURE", 1.5, False),
    ("DROPOUT", 0.1, True),
    ("SOFTCAP", 15.0, False),
    ("EMA_DECAY", 0.99, True),
    ("ROTARY_BASE", 10_000.0, False),
    ("LABEL_SMOOTHING", 0.05, True),
    ("EPS", 1e-8, False),
    ("Z_LOSS", 1e-4, False),
    ("NOISE_SCALE", 0.3, False),
    ("COOLDOWN_RATIO", 0.4, True),
)


def _transformer(chance: np.random.Generator) -> Landscape:
    sizes = ("DEPTH", "WIDTH", "HEAD_DIM", "TOTAL_BATCH", "DEVICE_BATCH")
    starts = (8, 512, 128, 2**19, 64)
    shifts = [math.log(chance.choice([6, 7, 9, 10, 12]) / 8), math.log(chance.choice([384, 640, 768, 1024]) / 512)]
    shifts += [math.log(2.0) * float(chance.choice([-1, 0, 1])) for _ in range(3)]
    knobs = [Knob(name, start, shift) for name, start, shift in zip(sizes, starts, shifts, strict=True)]
    knobs += _plain([_RATES[at] for at in (0, 1, 2, 3, 6, 7)], chance, 0.7)
    knobs += [
        Knob("BETAS", (0.8, 0.95)[at], float(chance.normal(0.0, 0.7)), is_fraction=True, element=at) for at in (0, 1)
    ]
    knobs.append(Knob("GRAD_CLIP", 1.0, float(chance.normal(0.0, 0.7))))
    curvature = np.diag(_relevances(len(knobs), chance))
    _couple(curvature, 0, 1, 0.8)  # depth and width both cost steps
    _couple(curvature, 3, 5, -0.6)  # larger batches bear higher rates
    rate_limit = 1e-3 * math.exp(max(knobs[5].shift, 0.0) + 0.6)

    def crashes(values: Values) -> str:
        depth, width, head, total, device = (int(values[name]) for name in sizes)  # type: ignore[arg-type]
        if min(depth, width, head, total, device) < 1:
            return "a size is not positive"
        if head % 8 or head > 256 or width % head:
            return f"width {width} does not divide into heads of {head}"
        if total % (device * 2048):
            return f"a batch of {total} does not divide into {device} x 2048"
        if depth * width * device > 1_400_000:
            return "out of memory"
        return _diverging({"LR": rate_limit, "EMBEDDING_LR": 20.0})(values)

    constants: dict[str, Value] = dict(zip(sizes, starts, strict=True))
    constants |= {one.name: one.start for one in knobs[5:] if one.element is None} | {"BETAS": (0.8, 0.95)}
    body = _BODY.replace("    rate", "    assert WIDTH % HEAD_DIM == 0\n    rate")
    return Landscape("", _written(constants, body), tuple(knobs), curvature, crashes)


def _couple(curvature: npt.NDArray[np.float64], first: int, second: int, correlation: float) -> None:
    """Make two knobs depend on each other, in place."""
    coupling = correlation * math.sqrt(curvature[first, first] * curvature[second, second])
    curvature[first, second] = curvature[second, first] = coupling


def _rated(
    count: int,
    chance: np.random.Generator,
    curvature: npt.NDArray[np.float64],
    *,
    reach: float = 0.8,
    crashes: Callable[[Values], str] = _never,
    **how: object,
) -> Landscape:
    chosen = [_RATES[at] for at in sorted(chance.permutation(len(_RATES))[:count])]
    knobs = _plain(chosen, chance, reach)
    source = _written({name: start for name, start, _ in chosen}, _BODY)
    return Landscape("", source, knobs, curvature, crashes, **how)  # type: ignore[arg-type]


def _valley(chance: np.random.Generator) -> Landscape:
    return _rated(12, chance, _rotated(np.geomspace(0.03, 3.0, 12), chance), reach=0.6)


def _sparse(chance: np.random.Generator) -> Landscape:
    relevances = np.full(20, 1e-3)
    relevances[chance.permutation(20)[:5]] = _relevances(5, chance, 0.5)
    return _rated(20, chance, np.diag(relevances))


def _stairs(chance: np.random.Generator) -> Landscape:
    return _rated(12, chance, np.diag(_relevances(12, chance)), ripple=0.02, stairs=0.25)


def _far(chance: np.random.Generator) -> Landscape:
    found = _rated(10, chance, np.diag(_relevances(10, chance, 0.7)), bend=math.log1p, reach=0.5)
    wrong = [at for at, one in enumerate(found.knobs) if not one.is_fraction][:3]
    limits: dict[str, float] = {}
    knobs = list(found.knobs)
    for at in wrong:
        shift = float(chance.uniform(math.log(10), math.log(30)) * chance.choice([-1, 1]))
        knobs[at] = replace(knobs[at], shift=shift)
        if shift > 0:
            limits[knobs[at].name] = knobs[at].start * math.exp(shift + 0.5)
    return replace(found, knobs=tuple(knobs), crashes=_diverging(limits))


def _structures(chance: np.random.Generator) -> Landscape:
    found = _rated(12, chance, np.diag(_relevances(12, chance)))
    other = chance.normal(0.0, 0.5, 12)
    return replace(found, other=other, handicap=0.15)


FAMILIES: Mapping[str, Callable[[np.random.Generator], Landscape]] = {
    "transformer": _transformer,
    "valley": _valley,
    "sparse": _sparse,
    "stairs": _stairs,
    "far": _far,
    "structures": _structures,
}
