"""The metrics in what a program printed: numbers with labels, in sentences, JSON, dictionaries and tables.

The expression that reads a metric is tried on the whole output before it is believed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from evo.project.found import Metric
from evo.project.printed import escaped, label_in, without_unit
from evo.project.wording import (
    PREFIXES,
    Kind,
    Split,
    context_word,
    direction_of,
    direction_of_sign,
    direction_of_unit,
    identifier,
    is_count,
    is_data,
    is_open,
    names_metric,
    quality_word,
    told_split,
    unit_before,
    words,
)
from trainer.objectives import SCRIPT_OBJECTIVES, Direction
from trainer.script.numbers import number_in, shape_of

WHERE = "the first run"

_NUMBER = re.compile(
    r"(?<![\w.@])(?<!\w-)(?:[-+−]?(?:[1-9]\d{0,2}(?:[,'’\u00a0\u202f]\d{3})+(?:\.\d*)?|\d+(?:_\d{3})*\.?\d*|\.\d+)"
    r"(?:[eE][-+]?\d+)?(?!\.?\d|[:A-Za-z]\d)|[nN]a[nN]\b|[-+−]?(?:inf|Infinity)\b)"
)
_SIGNED_NUMBER = r"[-+−]?[\d.,]+(?:[eE][-+]?\d+)?"
_GROUPING = re.compile(r"[,'’\u00a0\u202f]")
_UNIT = re.compile(r"[A-Za-zµ%×]+(?:/[A-Za-z]+)?")
_WRAP = re.compile(r"(?:(?:\w+\.)?(?:[Tt]ensor|[Aa]rray|float\d*|int\d*)\()?[\[(]*[\"'$€£¥]?$")
_SEPARATORS = " \t:：=|│┃║*`>~≈→.…-"
"""What stands between a label and its number."""
_VERB = re.compile(r"\s(?:is|was|of|equals|in|took)$")
_ARROW = re.compile(r"\s*(?:[A-Za-z]+\s*)?(?:->|→|=>|⟶|to\s+\d)")
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<label>[^"'\n]*[^\W\d_][^"'\n]*)(?P=quote)$""")
_BAR = re.compile(r"\d+%\|[^|]*\|(?:\s*\S+/\S+)?(?:[^\[\]]*\[[^\],]*(?:,\s*[\d.?]+\s*\w+/\w+)?\]?)?")
"""A progress bar with its times and its rate; what a program adds behind them counts."""
_MARGIN = re.compile(r"\s*(?:±|\+/-|\+-|\+(?=[\d.]))\s*[\d.,]+(?:[eE][-+]?\d+)?")
_IS_MARGIN = re.compile(r"(?:±|\+/-|\+-)\s*$")
_FILE_NAME = re.compile(r"\w\.[A-Za-z]{1,4}$")  # with a line behind it, in a traceback
_SETTINGS = re.compile(r"(?<=[\w)])\s*@?\s*[(\[]([^()\[\]]*\d[^()\[\]]*)[)\]](?=\s*[:=]\s*[-+−]?[\d.])")
_WIDE = re.compile(r"\s{2,}|\t")
_COUNTED = re.compile(r"\s*[a-z]+\s*[:=]\s*")
_OVER = re.compile(r"\b(?:over|across|of|in|from|for)\s+$")
_BEHIND = re.compile(r"[^|│┃,;:=]*[|│┃]\s*")
_SPACED = re.compile(r"[-+−]?\d{1,3}(?: \d{3})+(?![^\s,;])")
"""`1 234 567`, which would be read as 1."""
_DECIMAL_COMMA = re.compile(r"[-+−]?(?:0,\d|\d+,(?!\d{3}(?!\d))\d)")
"""`0,8123`, which would be read as 0."""
_TRAINING_ALONE = re.compile(r"\btrain(?:ing)?\s*[:=]?\s+[-+.\d]", re.IGNORECASE)
"""In `Loss: 0.1, Train: 0.9, Val: 0.8`, where the loss is that of the training, and the others are no losses."""
_SUFFIX = re.compile(r"[kKMGT]\b")
_RATE = re.compile(r"\s*([A-Za-zµ]+/[a-z]+|(?i:[KMGT]?(?:fps|flops|iops)))\b")
_SHARE = re.compile(r"/\s*\d+\s*\(\s*([\d.]+)\s*%")
_LAST_WORDS = re.compile(r"\s+([A-Za-z][\w /-]*)")
_COLUMN_NAME = re.compile(r"[^\W\d_][\w@%/.()\[\] -]*")
_RULE = re.compile(r"[\s|+=:\u2500-\u257f-]*")
"""What separates the header of a table from its rows."""
_FEWEST_COLUMNS = 2
_METRIC, _VALUE = "metric", "value"
"""The columns of a table that names a metric in each row."""
_MOST_LINES = 2000
_LONGEST_SENTENCE = 12  # words of a label such as `Accuracy of the network on the 10000 test images`


@dataclass(frozen=True, slots=True)
class _Place:
    """One number with a label in the output.

    Attributes:
        line: its index.
        name: of the objective.
        label: as printed.
        split: told by the words before the label; None if there are none.
        value: the number.
        told: the direction that the unit behind it names; None if it names none.
        patterns: expressions that may read it, the plainest first.
        row: of a table, by its name; empty for any other place.
        unit: beside the number, where the program may choose another one for a larger number.
        settings: what is in brackets behind the label; another metric has others.
    """

    line: int
    name: str
    label: str
    split: Split | None
    value: float
    told: Direction | None
    patterns: tuple[str, ...]
    row: str = ""
    unit: str = ""
    settings: str = ""


def metrics_in(lines: Sequence[str]) -> list[Metric]:
    """Return the metrics in printed lines, each name once, in the order of their first appearance."""
    lines = lines[-_MOST_LINES:]
    seen = [_BAR.sub(lambda bar: " " * len(bar[0]), line) for line in lines]
    places: dict[tuple[str, str], list[_Place]] = {}
    in_tables = list(_table_places(seen))
    rows = {place.line for place in in_tables}
    in_lines = [place for number, line in enumerate(seen) if number not in rows for place in _places(number, line)]
    for place in (*in_lines, *in_tables):
        places.setdefault((place.name, place.settings), []).append(place)
    found = filter(None, (_metric(same, lines) for same in places.values()))
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


def _metric(same: Sequence[_Place], lines: Sequence[str]) -> Metric | None:
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
    if not readable or (is_count(last.label) and not is_size):
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


def _places(number: int, line: str) -> Iterator[_Place]:
    begin = end = last = 0
    quality = ""
    goes_on = not _TRAINING_ALONE.search(line)
    settings = [found.span() for found in _SETTINGS.finditer(line) if _is_setting(found[1])]
    for match in _NUMBER.finditer(line):
        between = line[end : match.start()]
        if any(start < match.start() < stop for start, stop in settings):
            continue
        if between.strip() in (":", "=") or (_COUNTED.fullmatch(between) and _OVER.search(line, begin, last)):
            end = begin  # the number before belongs to the label: `best of 7: 0.5`, `speedup over 5 runs: 2.1`
        before = line[end : match.start()]
        unit = _UNIT.match(before) if end else None
        before = before[len(unit[0] if unit else unit_before(before) if end else "") :]
        start = match.start() - len(before)
        describes_last = bool(end) and _BEHIND.fullmatch(before)  # `51.2% MFU | 170,000 tok/s`
        begin, end, last = end, match.end(), match.start()
        is_unclear = _DECIMAL_COMMA.match(line, last) or _SPACED.match(line, last)
        if is_unclear or _ARROW.match(line, end) or _IS_MARGIN.search(before):
            continue
        place = None if describes_last else _labelled(number, line, before, start, match, quality)
        place = place or _before_its_unit(number, line, match)
        if place is not None:
            quality = (quality_word(place.label) or quality) if goes_on else ""
            yield place


def _is_setting(inner: str) -> bool:
    """Return whether what is in brackets belongs to the label: `mAP (IoU=0.5): 0.61`, `accuracy (5-fold): 0.9`."""
    named = re.sub(r"\d[\d.]*", "", inner)
    return named.startswith("-") or not is_count(named)


def _before_its_unit(number: int, line: str, match: re.Match[str]) -> _Place | None:
    """Return a number that only what follows names: `4123 ns/op` behind a benchmark, or `1.2 seconds elapsed`."""
    error = _MARGIN.match(line, match.end())
    rate = _RATE.match(line, error.end() if error else match.end())
    value = number_in(match[0])
    words_behind = _LAST_WORDS.fullmatch(line.rstrip(), match.end())
    if words_behind and names_metric(words_behind[1]) and not line[: match.start()].strip() and value is not None:
        label = words_behind[1]
        pattern = rf"^\s*{_group(match[0], ' ')[0]}\s+{escaped(label)}\s*$"
        return _Place(number, identifier(label), label, None, value, None, (pattern,))
    if rate is None or value is None or direction_of(rate[1])[1] is Kind.UNKNOWN:
        return None
    first = re.match(r"[A-Za-z][^\s:=|,]*[A-Z_\d/][^\s:=|,]*(?=\s)", line)
    start = f"^{escaped(first[0])}.*" if first and first.end() < match.start() else ""
    label = f"{first[0]} {rate[1]}" if start and first else rate[1]
    pattern = rf"{start}(?<![\w.])([\d.,]+){_MARGIN.pattern if error else ''}\s*{escaped(rate[1])}"
    return _Place(number, identifier(label), label, None, value, None, (pattern,))


def _labelled(number: int, line: str, before: str, start: int, match: re.Match[str], quality: str) -> _Place | None:
    """Return a number with the label before it; None without a label.

    Args:
        number: of the line.
        line: as printed.
        before: the text between the number before and this one.
        start: where that begins.
        match: the number.
        quality: what the line has named already, which is meant where it goes on with data alone: `loss 2.3 val 2.4`.
    """
    wrap = _WRAP.search(before)
    wrapper = wrap[0] if wrap else ""
    text = before[: len(before) - len(wrapper)]
    named = without_unit(_VERB.sub("", text.rstrip(_SEPARATORS)))
    separator = text[len(named) :]
    label = _QUOTED.search(named) or label_in(named)
    of_data = quality if label and is_data(label["label"]) else ""
    if label is None or (separator == ":" and _FILE_NAME.search(label["label"])):
        return None
    is_set_off = not set(separator).isdisjoint(_SEPARATORS.strip())
    is_beside_rate = bool(re.search(rf"\d{_RATE.pattern}", line[match.end() :]))  # and counts how often it was measured
    is_column = named == label["label"] and start == 0 and bool(_WIDE.fullmatch(separator)) and not is_beside_rate
    is_measured = bool(direction_of_unit(line[match.end() :])) and "(" not in text  # `sorted in 3.2 ms`
    if not (is_set_off or is_column or is_measured or names_metric(label["label"]) or of_data):
        return None
    name, quote = label["label"].strip(), label["quote"]
    first = line[:start] + named
    if sentence := _sentence(first, name, separator):
        return _place(number, line, match, sentence, "", separator, wrapper, "")
    before_label = first[: len(first) - len(name) - 2 * len(quote)]
    place = _place(number, line, match, name, quote, separator, wrapper, before_label)
    meant = f"{name} {of_data}"
    place = replace(place, name=identifier(meant), label=meant) if place and of_data else place
    settings = _SETTINGS.match(line, start + len(named))
    return replace(place, settings=settings[1]) if place and settings and _is_setting(settings[1]) else place


def _sentence(text: str, label: str, separator: str) -> str:
    """Return a whole text as the label if its end says nothing and its words do, as in `Accuracy of … images: 57`."""
    whole = text.strip()
    words = whole.split()
    says_nothing = direction_of(label)[1] is Kind.UNKNOWN
    is_plain = bool(re.fullmatch(r"[A-Za-z][\w ]*", whole)) and whole != label
    if ":" in separator and says_nothing and is_plain and 2 < len(words) <= _LONGEST_SENTENCE:
        return whole if direction_of(words[0])[1] is Kind.QUALITY else ""
    return ""


def _place(
    number: int, line: str, match: re.Match[str], label: str, quote: str, separator: str, wrapper: str, before: str
) -> _Place | None:
    suffix = _SUFFIX.match(line, match.end())
    value = number_in(match[0] + (suffix[0] if suffix else ""))
    group, unit = _group(match[0], line[match.end() :])
    if share := _SHARE.match(line, match.end()):
        value, group = float(share[1]), r"\S+\s*\(\s*([\d.]+)\s*%"
    elif re.match(r"\s*/\s*\d", line[match.end() :]):
        if direction_of(label)[1] is not Kind.QUALITY:
            return None  # a count of a total, as `3/10`
        group = r"([\d.]+)\s*/"
    if value is None:
        return None
    told = told_split(label, before)
    plain = separator.strip(" \t")
    between = re.sub(r"(?<=[A-Za-z] )\d+", r"\\d+", escaped(plain))  # `reward [episode 5]: 13`
    gap = (r"\s*" if separator[:1].isspace() else "") + (between + r"\s*" if plain else "")
    gap = gap if plain else r"\s+"
    written = re.sub(r"\d+", r"\\d+", escaped(label)) if " " in label else escaped(label)
    core = f"{quote}{written}{quote}{gap}{escaped(wrapper)}{group}"
    name = identifier(label)
    name = name if told is None else f"{PREFIXES[told]}_{name}"
    better = direction_of_unit(line[match.end() :])
    return _Place(number, name, label, told, value, better, tuple(_patterns(core, quote, before)), unit=unit)


def _patterns(core: str, quote: str, before: str) -> Iterator[str]:
    """Yield expressions for what stands in a line behind some text."""
    if not before.strip():
        yield f"^{core}" if not before else rf"^\s*{core}"
    inner = core if quote else rf"\b{core}"
    first = before.split()
    if first and re.match(r"[A-Za-z]", first[0]) and not before[0].isspace():
        words = re.match(r"[A-Za-z][A-Za-z_ ]*", before)
        if words:
            yield f"^{escaped(words[0].strip())}.*{inner}"
    if before.strip():
        yield inner
    if word := context_word(before):
        yield rf"\b{word}\b.*?{inner}"
    if before.strip():
        yield rf"(?:^|[^\w\s]\s*|\d\s+){core}"


def _group(number: str, rest: str) -> tuple[str, str]:
    """Return the group that reads a number, by what follows it, and the unit where one with others of its kind does."""
    unit, _, per = unit_before(rest).strip().partition("/")
    if shape := shape_of(unit):
        return rf"({_SIGNED_NUMBER}\s*{shape})" + (f"/{per}" if per else ""), f"{unit}/{per}" if per else unit
    if _SUFFIX.match(rest):
        return rf"({_SIGNED_NUMBER}[kKMGT]?)", ""
    if _GROUPING.search(number):
        return rf"([-+−]?[\d{_GROUPING.pattern[1:-1]}]+\.?\d*)", ""
    if not rest or rest[0].isspace():
        return r"(\S+)", ""
    if rest[0] == "%":
        return r"([^\s%]+)%", ""
    if glued := _UNIT.match(rest):
        return rf"({_SIGNED_NUMBER}){escaped(glued[0])}", ""
    if _MARGIN.match(rest):
        return rf"({_SIGNED_NUMBER})", ""
    return r"([^\s,;|│┃║)}\]<]+)", ""


class _Cells(NamedTuple):
    """How a table parts the cells of a line: what separates them, what one is made of, and whether rows have names."""

    between: str
    cell: str
    is_named: bool = True

    def of(self, line: str) -> list[str]:
        """Return the cells of a line."""
        inner = re.sub(r"^[|│┃║]|[|│┃║:]$", "", line.strip())
        return [cell.strip() for cell in re.split(self.between, inner.strip())]


_TABLES = (
    _Cells(r"[|│┃║]", r"[^|│┃║]*"),
    _Cells(r"\t", r"[^\t]*"),
    _Cells(r",", r"[^,]*"),
    _Cells(r"\s+", r"\S+", is_named=False),  # prose has words between blanks, too
    _Cells(r"\s{2,}", r"\S+(?:\s\S+)*"),
)


def _table_places(lines: Sequence[str]) -> Iterator[_Place]:
    """Yield the numbers below the names of columns."""
    headers: list[tuple[_Cells, list[str]]] = []
    for number, line in enumerate(lines):
        if found := [(kind, cells) for kind in _TABLES if _is_header(cells := kind.of(line))]:
            headers = found
        elif headers and not _RULE.fullmatch(line):
            rows = [(kind, header, cells) for kind, header in headers if _is_row(cells := kind.of(line), header, kind)]
            headers = [(kind, header) for kind, header, _ in rows]
            if rows:
                yield from _of_row(number, *rows[0])


def _is_header(cells: Sequence[str]) -> bool:
    names = [cell for cell in cells if cell]
    is_named = len(names) >= _FEWEST_COLUMNS and all(map(_COLUMN_NAME.fullmatch, names))
    return is_named and (any(map(_is_measured, names)) or {_METRIC, _VALUE} <= {name.casefold() for name in names})


def _is_measured(name: str) -> bool:
    """Return whether the name of a column is that of a metric."""
    return direction_of(name)[1] is not Kind.UNKNOWN


def _is_row(cells: Sequence[str], header: Sequence[str], kind: _Cells) -> bool:
    numbers = [cell for cell in cells if _NUMBER.match(cell)]
    return len(cells) == len(header) and (cells[0] in numbers or (kind.is_named and bool(numbers)))


def _of_row(number: int, kind: _Cells, header: Sequence[str], cells: Sequence[str]) -> Iterator[_Place]:
    named = "" if _NUMBER.match(cells[0]) or is_count(cells[0]) else cells[0]
    metric = next((cell for label, cell in zip(header, cells, strict=True) if label.casefold() == _METRIC), "")
    literal = {named, metric} - {""}
    named = "" if named == metric else named
    for column, (title, text) in enumerate(zip(header, cells, strict=True)):
        label = metric if metric and title.casefold() == _VALUE else title
        match = _NUMBER.match(text)
        value = number_in(match[0]) if match else None
        if match is None or value is None or not _is_measured(label):
            continue
        before = [escaped(cell) if cell in literal else kind.cell for cell in cells[:column]]
        leading = "".join(rf"{cell}\s*{kind.between}\s*" for cell in before)
        rest = len(cells) - column - 1
        after = rf"(?:\s*{kind.between}\s*{kind.cell}){{{rest}}}" if rest else ""
        behind = text[match.end() :]
        group, unit = _group(match[0], behind or "|")
        group += "" if unit else escaped(unit_before(behind))
        group += rf"(?:{_MARGIN.pattern})?" if _MARGIN.match(behind) else ""
        yield _Place(
            line=number,
            name="_".join(identifier(one) for one in (named, label) if one),
            label=f"{named} {label}".strip(),
            split=None,
            value=value,
            told=direction_of_unit(behind),
            patterns=(rf"^[\s|│┃║]*{leading}{group}{after}\s*[|│┃║]?\s*$",),
            row=named,
            unit=unit,
        )
