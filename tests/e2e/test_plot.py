"""`evo plot` with the browser that draws its images."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from command_line import environment, evo
from paced_evaluator import PacedEvaluator
from searches import GENOME, configuration, opened, searched

from evo.runs.lifecycle import view

BEGINNINGS = {"pdf": b"%PDF-", "svg": b"<svg ", "png": b"\x89PNG\r\n"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plot") / "run"
    searched(path, configuration(4, 8, objectives=["val_bpb", "tokens_per_second"]), PacedEvaluator(GENOME))
    return path


@pytest.mark.parametrize(("kind", "ending"), [("best", "pdf"), ("operators", "png"), ("tree", "svg")])
def test_an_image_has_its_data_beside_it(run: Path, tmp_path: Path, kind: str, ending: str) -> None:
    image = tmp_path / f"figure.{ending}"
    done = evo("plot", kind, run, "--out", image)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(image), str(image.with_suffix(".csv"))]
    assert image.read_bytes().startswith(BEGINNINGS[ending])
    data = pd.read_csv(image.with_suffix(".csv"))
    with view(run) as viewed:
        best = viewed.standings.best()
        assert best is not None
        if kind == "best":
            assert data["evaluation"].tolist() == [*range(1, 33)]
            assert data["best_individual"].iloc[-1] == viewed.standings.leads[-1].individual
        elif kind == "operators":
            assert data.set_index("name").loc["numbering", "offspring"] == len([*viewed.store.individuals()]) - 1
        else:
            row = data.set_index("individual").loc[best.id]
            assert row["val_bpb"] == pytest.approx(best.means()["val_bpb"])
            assert row["evaluations"] == len(best.evaluations)
            assert row["in_line_of_best"]


def test_what_cannot_be_drawn_is_one_line(run: Path, tmp_path: Path) -> None:
    one, empty = tmp_path / "one", tmp_path / "empty"
    with opened(empty, configuration(2, 1, objectives=["val_bpb", "tokens_per_second"]), PacedEvaluator(GENOME)):
        pass
    searched(one, configuration(2, 1, front=["val_bpb"]), PacedEvaluator(GENOME))
    for said, code, arguments in (
        ("must end with .pdf, .svg, .png", 2, ["best", run, "--out", tmp_path / "figure.jpg"]),
        ("there is no folder", 2, ["best", run, "--out", tmp_path / "nowhere" / "figure.pdf"]),
        ("has no front", 2, ["front", one, "--out", tmp_path / "figure.pdf"]),
        ("has nothing to draw yet", 2, ["front", empty, "--out", tmp_path / "figure.pdf"]),
        ("Name the experiment's TOML file", 2, ["compare", "--out", tmp_path / "figure.pdf"]),
        ("needs Chrome or Chromium", 1, ["best", run, "--out", tmp_path / "figure.pdf"]),
    ):
        done = evo("plot", *arguments, env=environment(BROWSER_PATH=str(tmp_path / "no browser")))
        assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
        assert said in done.stderr
    assert not [*tmp_path.glob("figure*")]
