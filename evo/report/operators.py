"""The chart of the operators: what became of the offspring of each."""

from __future__ import annotations

import html

import plotly.graph_objects as go

from evo.report.data import RunReport
from evo.report.figures import FAILED, FRONT, NEUTRAL, PALE, Chart, canvas
from evo.text import hover, money, visible
from trainer.errors import counted

_ROW_PIXELS, _FRAME_PIXELS = 34, 90


def operators_chart(report: RunReport) -> Chart:
    """Return one bar for each operator: offspring better than their parents, not better, failed, waiting."""
    rows = report.operators[::-1]  # plotly counts from below
    figure = canvas(_FRAME_PIXELS + _ROW_PIXELS * max(2, len(rows)), x_title="offspring", y_title="")
    figure.update_layout(barmode="stack", bargap=0.35, legend={"traceorder": "normal"}, yaxis={"showgrid": False})
    figure.update_layout(showlegend=True)  # for a single colour, too
    parts = (
        ("better", FRONT, [row.improved for row in rows]),
        ("not better", PALE, [row.scored - row.improved for row in rows]),
        ("failed", FAILED, [row.failed for row in rows]),
        ("waiting", NEUTRAL, [row.offspring - row.scored - row.failed for row in rows]),
    )
    for name, colour, counts in parts:
        if any(counts):
            texts = [
                hover(row.name, f"{count} {name}", f"{counted(row.proposals, 'proposal')}, {money(row.cost_usd)}")
                for row, count in zip(rows, counts, strict=True)
            ]
            figure.add_trace(
                go.Bar(
                    orientation="h",
                    name=name,
                    x=counts,
                    y=[html.escape(visible(row.name)) for row in rows],
                    marker={"color": colour},
                    hovertext=texts,
                    hoverinfo="text",
                )
            )
    return Chart(figure)
