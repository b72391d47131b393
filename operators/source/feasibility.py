"""Which settings of constants fail, learnt from those that did: constraints, never numbers in the place of a loss.

A failure is explained by rules that it breaks and that every success keeps: a number beyond all that worked, a size
that another one does not divide, one that is no power of two, a choice that never worked. Which of them is to blame is
not known: each is believed in proportion to the failures that it explains and that no other rule does. What a source
asserts, `WIDTH % HEADS` among its expressions, is believed from the start. A success refutes every rule that it breaks.

Beliefs are sampled: a proposal keeps to each rule with the probability that it holds, so that now and then a doubtful
one is tried. A crash that has another cause than the constants closes nothing for good.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from random import Random

from operators.source.constants import Value
from operators.source.search_space import Dimension, Point, Scale, point_of
from populations.descriptors import last_name
from populations.diversity import read_program

Rule = tuple[str, int, float]
"""Kind, the dimension that it is about, and a bound, or the number of another dimension."""

_PRIOR, _DOUBT = 0.1, 0.5
"""Failures that a rule explains, and that it does not, before any was seen."""
_DECLARED = 0.95
_ROUNDS = 3
"""Of sharing the blame: rules that explain many failures take it from those that explain one."""


class Feasibility:
    """What is believed of the settings of one structure.

    `source` is a program of this structure, for what it asserts.
    """

    def __init__(
        self, space: Sequence[Dimension], successes: Sequence[Point], failures: Sequence[Point], source: str = ""
    ) -> None:
        self._space = space
        self._places = [_Places(one) for one in space]
        self._successes = list(dict.fromkeys(successes))
        worked = set(self._successes)
        self._failures = [one for one in dict.fromkeys(failures) if one not in worked]
        self._is_kept: dict[Rule, bool] = {}
        values = map(set, zip(*self._successes, strict=True)) if self._successes else ([] for _ in space)
        self._hulls = [_hull(places, found) for places, found in zip(self._places, values, strict=True)]
        self.beliefs: dict[Rule, float] = self._declared(source) | self._learnt()

    @classmethod
    def of(
        cls, space: Sequence[Dimension], evaluations: Iterable[tuple[Mapping[str, Value], bool]], source: str
    ) -> Feasibility:
        """Return what evaluations teach: pairs of the constants and of whether it worked."""
        points: dict[bool, list[Point]] = {True: [], False: []}
        for values, worked in evaluations:
            point = point_of(space, values)
            if point is not None:
                points[worked].append(point)
        return cls(space, points[True], points[False], source)

    def sampled(self, random: Random) -> Callable[[Point], bool]:
        """Return whether a point may work, by rules drawn from what is believed."""
        held = [rule for rule, belief in self.beliefs.items() if random.random() < belief]

        def may_work(point: Point) -> bool:
            return not any(self._breaks(point, rule) for rule in held)

        return may_work

    def _learnt(self) -> dict[Rule, float]:
        suspects = [list(self._suspects(point)) for point in self._failures]
        beliefs: dict[Rule, float] = {}
        weights: Counter[Rule] = Counter({rule: 1 for rules in suspects for rule in rules})
        for _ in range(_ROUNDS):
            blame: Counter[Rule] = Counter()
            for rules in suspects:
                whole = sum(weights[rule] for rule in rules)
                for rule in rules:
                    blame[rule] += weights[rule] / whole  # type: ignore[assignment]
            weights = blame
        for rule, explained in weights.items():
            beliefs[rule] = (explained + _PRIOR) / (explained + _PRIOR + _DOUBT)
        return beliefs

    def _suspects(self, point: Point) -> Iterator[Rule]:
        """Yield the rules that a failure breaks and every success keeps."""
        for at, one in enumerate(self._space):
            yield from self._own_suspects(at, one, point)
            if one.is_integer:
                for other, divisor in enumerate(self._space):
                    rule = ("multiple", at, float(other))
                    if other != at and divisor.is_integer and self._is_suspect(point, rule):
                        yield rule

    def _own_suspects(self, at: int, one: Dimension, point: Point) -> Iterator[Rule]:
        if one.scale is Scale.CHOICE:
            rules: list[Rule] = [("not", at, self._places[at][point[at]])]
        else:
            low, high = self._hulls[at]
            place = self._places[at][point[at]]
            rules = [("below", at, place)] if place > high else [("above", at, place)] if place < low else []
            if one.is_integer:
                rules.append(("power", at, 2.0))
        yield from (rule for rule in rules if self._is_suspect(point, rule))

    def _is_suspect(self, point: Point, rule: Rule) -> bool:
        return self._breaks(point, rule) and self._keeps(rule)

    def _keeps(self, rule: Rule) -> bool:
        """Return whether every success keeps a rule."""
        if rule not in self._is_kept:
            self._is_kept[rule] = not any(self._breaks(one, rule) for one in self._successes)
        return self._is_kept[rule]

    def _breaks(self, point: Point, rule: Rule) -> bool:
        kind, at, bound = rule
        value = point[at]
        match kind:
            case "below":
                return self._places[at][value] >= bound
            case "above":
                return self._places[at][value] <= bound
            case "not":
                return self._places[at][value] == bound
        assert isinstance(value, int)  # noqa: S101 - the other kinds are about integers
        if kind == "power":
            return abs(value).bit_count() != 1
        divisor = point[int(bound)]
        assert isinstance(divisor, int)  # noqa: S101 - as above
        return divisor == 0 or value % divisor != 0

    def _declared(self, source: str) -> dict[Rule, float]:
        """Return the rules that a source states, unless a success breaks one."""
        places = {one.name: at for at, one in enumerate(self._space) if one.is_integer and one.element is None}
        rules: list[Rule] = [
            ("multiple", places[name], float(places[divisor]))
            for name, divisor in _remainders(source)
            if name in places and divisor in places
        ]
        return {rule: _DECLARED for rule in rules if self._keeps(rule)}


class _Places(dict[Value, float]):
    """The place of each value of a dimension, looked up once."""

    def __init__(self, one: Dimension) -> None:
        super().__init__()
        self.one = one

    def __missing__(self, value: Value) -> float:
        self[value] = self.one.place(value)
        return self[value]


def _hull(places: _Places, values: Iterable[Value]) -> tuple[float, float]:
    """Return the first and the last place of values, the program's own among them."""
    found = [places[value] for value in (places.one.own, *values)]
    return min(found), max(found)


@lru_cache(maxsize=64)
def _remainders(source: str) -> Sequence[tuple[str, str]]:
    """Return the pairs of names whose remainder a program takes, which it mostly asserts to be zero."""
    if not source:
        return ()
    pairs = {
        (left, right)
        for node in ast.walk(read_program(source).tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod)
        if (left := last_name(node.left)) and (right := last_name(node.right))
    }
    return sorted(pairs)
