"""The numbers in printed tables, below the names of columns, or behind the name of a metric in their row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from evo.project.places import MARGIN, NUMBER, Place, group_for
from evo.project.printed import escaped
from evo.project.wording import Kind, direction_of, direction_of_unit, identifier, is_count, is_data, unit_before
from trainer.script.numbers import number_in

_COLUMN_NAME = re.compile(r"[^\W\d_][\w@%/.()\[\] -]*")
_RULE = re.compile(r"[\s|+=:\u2500-\u257f-]*")
"""What separates the header of a table from its rows."""
_TYPE = re.compile(r"[iuf]\d+|str|bool|cat|enum|date|datetime\W.*")
"""What polars writes below the name of a column."""
_FEWEST_COLUMNS = 2
_METRIC = "metric"
"""The column of a table that names a metric in each row."""
_VALUES = frozenset(("value", "score", "result", "mean", "average"))
"""What the column with its number may be called."""


class _Cells(NamedTuple):
    """How a table parts the cells of a line.

    Attributes:
        between: what separates them; it takes all blanks where it takes any, so that a line is read in one way only.
        cell: what one is made of.
        is_named: whether rows may have names.
    """

    between: str
    cell: str
    is_named: bool = True

    @property
    def margin(self) -> str:
        """The blanks that a cell may have around it."""
        return "" if r"\s" in self.between else r"\s*"

    def of(self, line: str) -> list[str]:
        """Return the cells of a line."""
        inner = re.sub(r"^[|│┃║┆]|[|│┃║┆:]$", "", line.strip())
        return [cell.strip() for cell in re.split(self.between, inner.strip())]


_TABLES = (
    _Cells(r"[|│┃║┆]", r"[^|│┃║┆]*"),
    _Cells(r"\t", r"[^\t]*"),
    _Cells(r",", r"[^,]*"),
    _Cells(r"\s+", r"\S+", is_named=False),  # prose has words between blanks, too
    _Cells(r"\s{2,}", r"\S+(?:\s\S+)*"),
)
_Header = tuple[_Cells, list[str]]
_Row = tuple[int, _Cells, list[str], list[str]]


def places_in_tables(lines: Sequence[str]) -> Iterator[Place]:
    """Yield the numbers below the names of columns."""
    headers: list[_Header] = []
    rows: list[_Row] = []
    for number, line in enumerate(lines):
        if found := list(_headers(line)):
            yield from _of_rows(rows)
            headers, rows = found, []
        elif headers and not _RULE.fullmatch(line):
            fit = [(kind, header, cells) for kind, header in headers if _is_row(cells := kind.of(line), header, kind)]
            rows += [(number, *fit[0])] if fit else []
            headers = [one[:2] for one in fit] or [one for one in headers if _goes_on(one, line)]
    yield from _of_rows(rows)


def _headers(line: str) -> Iterator[_Header]:
    """Yield the ways in which a line names columns; of the column that pandas leaves without a name, it is empty."""
    for kind in _TABLES:
        cells = kind.of(line)
        if _is_header(cells):
            if line[0].isspace() and not kind.margin:
                yield kind, ["", *cells]
            yield kind, cells


def _goes_on(header: _Header, line: str) -> bool:
    """Return whether a table goes on behind a line that leaves cells empty, or names an index or types."""
    kind, titles = header
    cells = kind.of(line)
    if all(map(_TYPE.fullmatch, cells)):
        return True
    count = len(cells)
    return not titles[0] and count < len(titles) and (count == 1 or line[0].isspace())


def _of_rows(rows: Sequence[_Row]) -> Iterator[Place]:
    """Yield the numbers of a table; rows with numbers for names, beside others that have names, are of parts."""
    named = [row for row in rows if not NUMBER.match(row[3][0])]
    for row in named or rows:
        yield from _of_row(*row)


def _is_header(cells: Sequence[str]) -> bool:
    names = [cell for cell in cells if cell]
    is_named = len(names) >= _FEWEST_COLUMNS and all(map(_COLUMN_NAME.fullmatch, names))
    return is_named and (any(map(_is_measured, names)) or _METRIC in {name.casefold() for name in names})


def _is_measured(name: str) -> bool:
    """Return whether the name of a column is that of a metric."""
    return direction_of(name)[1] is not Kind.UNKNOWN and not is_data(name)


def _is_row(cells: Sequence[str], header: Sequence[str], kind: _Cells) -> bool:
    numbers = [cell for cell in cells if NUMBER.match(cell)]
    return len(cells) == len(header) and (cells[0] in numbers or (kind.is_named and bool(numbers)))


def _of_row(number: int, kind: _Cells, header: Sequence[str], cells: Sequence[str]) -> Iterator[Place]:
    named = "" if NUMBER.match(cells[0]) or is_count(cells[0]) else cells[0]
    metric = next((cell for label, cell in zip(header, cells, strict=True) if label.casefold() == _METRIC), "")
    literal = {named, metric} - {""}
    named = "" if named == metric else named
    for column, (title, text) in enumerate(zip(header, cells, strict=True)):
        label = _label(title, metric)
        match = NUMBER.match(text)
        value = number_in(match[0]) if match else None
        if match is None or value is None or not _is_measured(label):
            continue
        literals = (f"{kind.margin}{escaped(cell)}{kind.margin}" if cell in literal else kind.cell for cell in cells)
        start = r"^(?:\s*[|│┃║┆])?" if kind.margin else r"^[\s|│┃║┆]*"
        leading = start + "".join(f"{cell}{kind.between}" for cell in islice(literals, column))
        rest = len(cells) - column - 1
        after = rf"{kind.margin}(?:{kind.between}{kind.cell}){{{rest}}}" if rest else ""
        behind = text[match.end() :]
        group, unit = group_for(match[0], behind or "|")
        group += "" if unit else escaped(unit_before(behind))
        group += rf"(?:{MARGIN.pattern})?" if MARGIN.match(behind) else ""
        yield Place(
            line=number,
            name="_".join(identifier(one) for one in (named, label) if one),
            label=f"{named} {label}".strip(),
            split=None,
            value=value,
            told=direction_of_unit(behind),
            patterns=(rf"{leading}{kind.margin}{group}{after}\s*(?:[|│┃║┆]\s*)?$",),
            row=named,
            unit=unit,
        )


def _label(title: str, metric: str) -> str:
    """Return what a cell holds, by the name of its column and the metric that its row names: `Val` of `F1`."""
    if metric and is_data(title):
        return f"{title} {metric}"
    return metric if metric and title.casefold() in _VALUES else title
