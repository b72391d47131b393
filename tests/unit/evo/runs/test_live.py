"""Curves of what runs, read from files that a candidate may have had a hand in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from evo.runs.folder import RunFolder
from evo.runs.live import live_curves
from trainer.evaluation import TRAINING_LOSS

LAUNCHED = 1000.0
GOOD = {"began": 1001.0, "name": "score", "points": [[0.5, 2.0], [1.5, 1.0]]}
CURVE = tuple(SimpleNamespace(seconds=float(step), loss=2.0) for step in range(1001))


class Running:
    """A store in which individual 7, a child of 3, runs on the second worker."""

    def running(self) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(id=41, individual=7, device="cpu/1", launched_at=LAUNCHED),
            SimpleNamespace(id=42, individual=7, device="node-a", launched_at=LAUNCHED),
            SimpleNamespace(id=43, individual=7, device=None, launched_at=None),
        ]

    def individual(self, number: int) -> SimpleNamespace:
        return SimpleNamespace(parents=(3,))

    def evaluations_of(self, number: int) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(result=SimpleNamespace(curve=CURVE, curve_name=TRAINING_LOSS)),
            SimpleNamespace(result=None),
        ]


def viewed(path: Path) -> SimpleNamespace:
    known = {3: SimpleNamespace(means={"score": 4.0})}
    return SimpleNamespace(folder=RunFolder(path), store=Running(), standings=SimpleNamespace(measured=known))


def write(path: Path, content: str) -> None:
    (path / "live").mkdir()
    (path / "live" / "1.json").write_text(content)


def test_a_curve_stands_against_that_of_the_parent_or_its_mean(tmp_path: Path) -> None:
    assert list(live_curves(viewed(tmp_path))) == []  # type: ignore[arg-type]
    write(tmp_path, json.dumps(GOOD))
    (one,) = live_curves(viewed(tmp_path))  # type: ignore[arg-type]
    assert (one.evaluation, one.name, one.points) == (41, "score", ((0.5, 2.0), (1.5, 1.0)))
    assert (one.parent, one.parent_value, one.parent_points) == (3, 4.0, ())
    (tmp_path / "live" / "1.json").write_text(json.dumps(GOOD | {"name": TRAINING_LOSS}))
    (one,) = live_curves(viewed(tmp_path))  # type: ignore[arg-type]
    assert one.parent_value is None
    assert (one.parent_points[0], one.parent_points[-1]) == ((0.0, 2.0), (1000.0, 2.0))
    assert len(one.parent_points) <= 201


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        json.dumps(GOOD | {"began": LAUNCHED - 60}),
        json.dumps(GOOD | {"began": "now"}),
        json.dumps(GOOD | {"points": []}),
        json.dumps(GOOD | {"points": [[1, None]]}),
        json.dumps(GOOD | {"points": [[1, "nan"]]}),
        json.dumps(GOOD | {"points": {"0": 1}}),
        json.dumps(GOOD | {"padding": "x" * 70_000}),
    ],
)
def test_what_is_no_curve_of_this_evaluation_is_none(tmp_path: Path, content: str) -> None:
    write(tmp_path, content)
    assert list(live_curves(viewed(tmp_path))) == []  # type: ignore[arg-type]


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "real.json").write_text(json.dumps(GOOD))
    (tmp_path / "live" / "1.json").symlink_to(tmp_path / "real.json")
    assert list(live_curves(viewed(tmp_path))) == []  # type: ignore[arg-type]
    (tmp_path / "live" / "1.json").unlink()
    os.mkfifo(tmp_path / "live" / "1.json")
    assert list(live_curves(viewed(tmp_path))) == []  # type: ignore[arg-type]
