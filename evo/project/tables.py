"""The numbers in printed tables, below the names of columns, or behind the name of a metric in their row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evo.project.places import MARGIN, NUMBER, Place, group_for
from evo.project.printed import escaped
from evo.project.wording import Kind, direction_of, direction_of_unit, identifier, is_count, is_data, unit_before
from trainer.script.numbers import number_in

_COLUMN_NAME = re.compile(r"[^\W\d_][\w@%/.()\[\] -]*")
_RULE = re.compile(r"[\s|+=:\u2500-\u257f-]*")
"""What separates the header of a table from its rows."""
_FEWEST_COLUMNS = 2
_METRIC, _VALUE = "metric", "value"
"""The columns of a table that names a metric in each row."""


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


def places_in_tables(lines: Sequence[str]) -> Iterator[Place]:
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
        label = metric if metric and title.casefold() == _VALUE else title
        match = NUMBER.match(text)
        value = number_in(match[0]) if match else None
        if match is None or value is None or not _is_measured(label):
            continue
        before = [escaped(cell) if cell in literal else kind.cell for cell in cells[:column]]
        leading = "".join(rf"{cell}\s*{kind.between}\s*" for cell in before)
        rest = len(cells) - column - 1
        after = rf"(?:\s*{kind.between}\s*{kind.cell}){{{rest}}}" if rest else ""
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
            patterns=(rf"^[\s|│┃║]*{leading}{group}{after}\s*[|│┃║]?\s*$",),
            row=named,
            unit=unit,
        )
