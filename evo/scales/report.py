"""The report of a ladder: `ladder.md` for people, `ladder.json` for programs, and the table that the terminal shows."""

from __future__ import annotations

import json
from collections.abc import Iterator

from evo.errors import ReportError
from evo.files import replace_file
from evo.scales.correlation import Agreement
from evo.scales.standing import LadderState, ScaleState
from evo.text import duration, visible
from trainer.errors import counted
from trainer.objectives import quantity

HEADER = (
    "scale",
    "evaluations",
    "time",
    "generation 0",
    "best",
    "its mean",
    "gain here",
    "ranks agree with next",
    "raised at largest",
)
LEFT = ("scale",)


def rows(state: LadderState) -> list[tuple[str, ...]]:
    """Return one row a scale, from small to large."""
    return [_row(one) for one in state.scales]


def remarks(state: LadderState) -> Iterator[str]:
    """Yield sentences that say how to read the table."""
    yield (
        "± is half of a 95% interval. How far ranks agree is Spearman's correlation, with its 95% interval, over "
        "individuals that were measured at both scales. A scale raised the largest by what its searches added to the "
        "best gain known there, by measurements with seeds that no search used."
    )
    for one in state.scales:
        if one.failed:
            yield f"{counted(one.failed, 'individual')} of {one.name} could not run, or failed, at the next scale."


def write_report(state: LadderState) -> None:
    """Write both files into the ladder's folder.

    Raises:
        ReportError: one cannot be written.
    """
    try:
        replace_file(state.folder / "ladder.json", json.dumps(state.to_json(), indent=2) + "\n")
        replace_file(state.folder / "ladder.md", _markdown(state))
    except OSError as error:
        raise ReportError(f"The report could not be written to {state.folder}: {error.strerror}.") from error


def _markdown(state: LadderState) -> str:
    took = duration(state.seconds)
    lines = [
        f"# {visible(state.name)}",
        "",
        visible(state.headline),
        "",
        f"{took} of {duration(state.total_seconds)} of all devices, in {counted(state.rounds, 'round')}.",
        "",
        _line(HEADER),
        _line("---" if name in LEFT else "--:" for name in HEADER),
        *map(_line, rows(state)),
        "",
        *remarks(state),
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Iterator[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(one: ScaleState) -> tuple[str, ...]:
    return (
        one.name,
        f"{one.evaluations:g}",
        duration(one.seconds) if one.seconds else "-",
        _value(one.generation_zero),
        "-" if one.best is None else f"#{one.best}",
        _value(one.value),
        _gain(one),
        _agreement(one.next),
        quantity(one.raised, signed=True) if one.raised else "0",
    )


def _value(value: float | None) -> str:
    return "-" if value is None else quantity(value)


def _gain(one: ScaleState) -> str:
    if one.gain is not None:
        return quantity(one.gain.value, None if one.gain.is_exact else one.gain.margin, signed=True)
    if one.unconfirmed_gain is None:
        return "-"
    return f"{quantity(one.unconfirmed_gain, signed=True)}, not confirmed"


def _agreement(agreement: Agreement | None) -> str:
    if agreement is None:
        return ""
    if agreement.correlation is None:
        return f"unknown ({counted(agreement.pairs, 'pair')})"
    low, high = (f"{bound:.2f}".replace("-", "−") for bound in (agreement.low or 0.0, agreement.high or 0.0))
    return f"{agreement.correlation:.2f} ({low} to {high}; {agreement.pairs})".replace("-", "−")
