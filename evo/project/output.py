"""The metrics in what a program printed.

The expression that reads a metric is tried on the whole output before it is believed.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from evo.project.found import Metric
from evo.project.phrases import places_in_line
from evo.project.places import Place
from evo.project.tables import places_in_tables
from evo.project.wording import Kind, direction_of, direction_of_sign, is_count, is_open, words
from trainer.objectives import SCRIPT_OBJECTIVES, Direction
from trainer.script.numbers import number_in
from trainer.script.readings import printed_lines

WHERE = "the first run"

_BAR = re.compile(r"\d+%\|[^|]*\|(?:\s*\S+/\S+)?(?:[^\[\]]*\[[^\],]*(?:,\s*[\d.?]+\s*\w+/\w+)?\]?)?")
"""A progress bar with its times and its rate; what a program adds behind them counts."""
_QUOTES_CODE = re.compile(r"""\s*File ["'].*["'], line \d+|\S.*:\d+: \w*Warning:""")
"""A line of a traceback, or a warning: below it stands a line of the program."""
_MOST_LINES = 2000


def lines_of(printed: bytes) -> tuple[str, ...]:
    """Return the lines that metrics are read from: those of the output without what tracebacks and warnings quote."""
    found: list[str] = []
    quoting = sys.maxsize  # the indent of a line that quotes what is indented further
    for line in printed_lines(printed):
        indent = len(line) - len(line.lstrip())
        if _QUOTES_CODE.match(line):
            quoting = indent
        elif indent <= quoting:
            quoting = sys.maxsize
            found.append(line)
    return tuple(found)


def metrics_in(lines: Sequence[str], is_named: Callable[[str], bool] = lambda _: False) -> list[Metric]:
    """Return the metrics in printed lines, each name once, in the order of their first appearance.

    Args:
        is_named: tells whether the documentation names a label as an aim.
    """
    lines = lines[-_MOST_LINES:]
    seen = [_BAR.sub(lambda bar: " " * len(bar[0]), line) for line in lines]
    places: dict[tuple[str, str], list[Place]] = {}
    in_tables = list(places_in_tables(seen))
    rows = {place.line for place in in_tables}
    in_lines = [
        place
        for number, line in enumerate(seen)
        if number not in rows
        for place in places_in_line(number, line, is_named)
    ]
    for place in sorted((*in_lines, *in_tables), key=lambda one: one.line):
        places.setdefault((place.name, place.settings), []).append(place)
    found = filter(None, (_metric(same, lines, is_named) for same in places.values()))
    names: Counter[str] = Counter()
    return [_numbered(metric, names) for metric in found if metric.name not in SCRIPT_OBJECTIVES]


def _numbered(metric: Metric, names: Counter[str]) -> Metric:
    """Return a metric with a number behind its name where another one has that: `map_2` of `mAP (IoU=0.75)`."""
    names[metric.name] += 1
    return metric if names[metric.name] == 1 else replace(metric, name=f"{metric.name}_{names[metric.name]}")


def values_of(metric: Metric, lines: Sequence[str]) -> list[float]:
    """Return the numbers that the expression of a metric reads from printed lines."""
    compiled = re.compile(metric.pattern or r"(?!)")
    matches = filter(None, map(compiled.search, lines))
    numbers = (number_in(match[1], metric.unit) for match in matches if match[1] is not None)
    return [number for number in numbers if number is not None]


def _metric(same: Sequence[Place], lines: Sequence[str], is_named: Callable[[str], bool]) -> Metric | None:
    last = same[-1]
    where = [place.line for place in same]
    readable: list[tuple[bool, int, str]] = []
    for pattern in last.patterns:
        compiled = re.compile(pattern)
        found = [(number, match[1]) for number, line in enumerate(lines) if (match := compiled.search(line))]
        if (
            found and found[-1][0] == last.line and repr(number_in(found[-1][1], last.unit)) == repr(last.value)
        ):  # also nan
            readable.append((sorted({number for number, _ in found}) != sorted(set(where)), len(readable), pattern))
    is_size = "size" in words(last.label) and last.told is Direction.MINIMIZE  # in bytes
    if not readable or (is_count(last.label) and not is_size and not is_named(last.label)):
        return None
    told = last.told if is_open(last.label) or direction_of(last.label)[1] is Kind.SPEED else None
    return Metric(
        name=last.name,
        label=last.label,
        where=WHERE,
        scope=f"{WHERE}: {last.row}" if last.row else WHERE,
        pattern=min(readable)[2],
        take="last",
        unit=last.unit,
        told=told or direction_of_sign(last.label, last.value),
        told_split=last.split,
    )
