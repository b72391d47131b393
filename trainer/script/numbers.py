"""Numbers as programs print them: grouped, wrapped in brackets, in percent, with a unit that changes with the size."""

from __future__ import annotations

import re

GROUPING = r",'’\u00a0\u202f"
"""The characters between the thousands of a number."""
GROUPED = rf"[1-9]\d{{0,2}}(?:[{GROUPING}]\d{{3}})+(?:\.\d*)?"
"""A number with such characters; 0,912 is none, since that is a decimal comma."""
_WRAPPED = re.compile(r"(?:[\w.]{0,40}\()?\[*([^\[\](){},;%]+?)\.?\]*\)?%?[\])}\"',;:.]{0,4}")
_GROUPED = re.compile(rf"([-+]?{GROUPED})%?[,;]?")
_QUANTITY = re.compile(r"(?P<number>[-+]?[\d.,]*\d\.?(?:[eE][-+]?\d+)?)\s*(?P<unit>[A-Za-zµμ]+)(?:/[A-Za-z]+)?[,;.]?")
_PREFIXES = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_TIMES = {
    **dict.fromkeys(("ns", "nsec", "nanoseconds"), 1e-9),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "msecs", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
}
_SIZES = {
    **{f"{prefix}{name}": size for prefix, size in _PREFIXES.items() for name in ("B", "bytes")},
    **{f"{prefix}iB": 1024.0**power for power, prefix in enumerate(("K", "M", "G", "T"), 1)},
}
_UNITS = {r"[a-zµμ]+": _TIMES, r"[kKMGT]?i?(?:B|bytes)": _SIZES}
"""What units of one kind look like, and each with what it is in seconds or in bytes."""


def shape_of(unit: str) -> str:
    """Return the expression for all units of the kind of one, as `ms` or `GiB`; empty for any other word."""
    return next((shape for shape, kind in _UNITS.items() if unit in kind), "")


def number_in(text: str, unit: str = "") -> float | None:
    """Return the number that a printed value stands for; None if it is none.

    Beside what `float` takes: `1,234`, `1'234`, `−0.5`, `51.2%`, `[68.]`, `tensor(0.5)`, `np.float64(0.5)`, `"0.5",`,
    and with a unit `1.2 ms`, `3 GiB/s` and `12.3k`, which programs choose by the size.

    Args:
        text: as printed.
        unit: which a value with a unit of the same kind is told in; seconds and bytes by default.
    """
    text = text.replace("\N{MINUS SIGN}", "-")
    plain = _plain(text)
    return plain if plain is not None else _quantity(text, unit)


def _plain(text: str) -> float | None:
    grouped = _GROUPED.fullmatch(text)
    wrapped = _WRAPPED.fullmatch(text.lstrip("\"'"))
    for written in (text, grouped and re.sub(r"[^\d.+-]", "", grouped[1]), wrapped and wrapped[1]):
        try:
            if written:
                return float(written)
        except (ValueError, OverflowError):
            continue
    return None


def _quantity(text: str, unit: str) -> float | None:
    found = _QUANTITY.fullmatch(text.strip())
    number = _plain(found["number"]) if found else None
    if found is None or number is None:
        return None
    written, wanted = found["unit"], unit.partition("/")[0]
    if written in _PREFIXES:
        return number * _PREFIXES[written]
    kind = next((kind for kind in _UNITS.values() if written in kind), None)
    if kind is None or wanted not in ("", *kind):
        return None
    return number * kind[written] / kind.get(wanted, 1.0)
