"""`evo plot`: figures for papers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo.commands.options import example, opened, write_file
from trainer.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    Drawing = tuple[go.Figure, pd.DataFrame]


class Kind(StrEnum):
    """What can be drawn."""

    BEST = "best"
    FRONT = "front"
    OPERATORS = "operators"
    TREE = "tree"
    COMPARE = "compare"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        epilog=example(
            "evo plot best --out best.pdf\nevo plot front runs/2026-11-21-220000 --out front.svg\n"
            "evo plot compare experiments/compare/random_operators.toml --out methods.pdf",
            "The figures of the report, as a PDF, SVG or PNG (by the name of the file), and the data of each beside it "
            "as CSV. `compare` draws one file a figure: the outcome of every run, NAME-anytime, NAME-attainment. "
            "Needs pip install 'evo-train[plot]' and Chrome or Chromium.",
        )
    )(plot)


def plot(
    kind: Annotated[Kind, typer.Argument(help="What to draw.", show_choices=True)],
    out: Annotated[Path, typer.Option("--out", help="Image to write: .pdf, .svg or .png.")],
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN",
            help="Folder of a run [default: the newest under ./runs]; for compare, the experiment's TOML file.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="For compare: the experiment's folder. [default: comparisons/<its name>]"),
    ] = None,
) -> None:
    """Draw a figure for a paper, with its data as CSV beside it."""
    from evo.report.images import FORMATS, draw_images

    format_ = out.suffix.removeprefix(".").lower()
    if format_ not in FORMATS:
        raise UsageError(f"--out must end with .{', .'.join(FORMATS)}, but it is {out}.")
    if folder is not None and kind is not Kind.COMPARE:
        raise UsageError(f"--folder is of evo plot compare. Name the run: evo plot {kind} RUN --out {out}")
    if not out.parent.is_dir():
        raise UsageError(f"--out must name a file in an existing folder, but there is no folder {out.parent}.")
    drawings = _of_experiment(path, folder) if kind is Kind.COMPARE else {"": _of_run(kind, path)}
    images = draw_images([figure for figure, _ in drawings.values()], format_)
    for (name, (_, table)), image in zip(drawings.items(), images, strict=True):
        place = out.with_stem(f"{out.stem}-{name}") if name else out
        write_file(place.with_suffix(".csv"), table.to_csv(index=False).encode())
        write_file(place, image)
        typer.echo(f"{place}\n{place.with_suffix('.csv')}")


def _of_run(kind: Kind, path: Path | None) -> Drawing:
    from evo.report import tables
    from evo.report.front import front_chart
    from evo.report.loading import load_report
    from evo.report.operators import operators_chart
    from evo.report.progress import progress_chart
    from evo.report.tree import tree_chart

    draw, tabulate = {
        Kind.BEST: (progress_chart, tables.progress_table),
        Kind.FRONT: (front_chart, tables.front_table),
        Kind.OPERATORS: (operators_chart, tables.operators_table),
        Kind.TREE: (tree_chart, tables.tree_table),
    }[kind]
    with opened(path) as viewed:
        report = load_report(viewed)
        if kind is Kind.FRONT and not report.front_objectives:
            raise UsageError(
                f"{viewed.folder.path} measures one objective, {report.objective.name}, so it has no front."
            )
    figure = draw(report).figure
    if not figure.data:
        raise UsageError(f"{viewed.folder.path} has nothing to draw yet. See: evo status")
    return figure, tabulate(report)


def _of_experiment(file: Path | None, folder: Path | None) -> Mapping[str, Drawing]:
    from evo.commands.compare import COMPARISONS
    from evo.compare.collecting import collect
    from evo.compare.folder import ExperimentFolder
    from evo.compare.preparation import define
    from evo.compare.report.figures import draw_figures
    from evo.compare.report.findings import find

    if file is None:
        raise UsageError("Name the experiment's TOML file: evo plot compare FILE --out methods.pdf")
    definition = define(file)
    place = folder or COMPARISONS / definition.experiment.name
    if not place.is_dir():
        raise UsageError(
            f"There is no experiment in {place}. `evo compare {file}` runs it; --folder names another place."
        )
    findings = find(collect(definition, ExperimentFolder(place)))
    figures = {figure.name: figure.drawn for figure in draw_figures(findings)}
    if not figures:
        raise UsageError(f"No run in {place} has an outcome to draw yet.")
    data = {"outcomes": "runs", "anytime": "progress", "attainment": "points"}
    drawings = {name: (figure, findings.results.tables[data[name]]) for name, figure in figures.items()}
    return {"": drawings.pop("outcomes"), **drawings}
