"""The curve of what a worker trains, as its watchers find it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from trainer.supervisor.live import LiveCurve, loss_in


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_file_is_written_once_a_second_and_ends_with_the_evaluation(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "live" / "0.json"
    curve = LiveCurve(path, clock)
    curve.begin()
    curve.tell("training loss", 0.1, 5.0)
    first = json.loads(path.read_text())
    assert (first["name"], first["points"]) == ("training loss", [[0.1, 5.0]])
    curve.tell("training loss", 0.2, math.nan)
    curve.tell("training loss", 0.3, 4.0)
    curve.tell("another", 0.4, 1.0)
    assert json.loads(path.read_text()) == first
    clock.seconds = 1.0
    for step in range(1000):
        curve.tell("training loss", 1.0 + step, 1.0 / (1 + step))
    clock.seconds = 2.0
    curve.tell("training loss", 2000.0, 0.25)
    points = json.loads(path.read_text())["points"]
    assert len(points) <= 200
    assert (points[0], points[-1]) == ([0.1, 5.0], [2000.0, 0.25])
    curve.end()
    curve.end()
    assert list(path.parent.iterdir()) == []


def test_of_a_program_that_prints_much_eight_lines_a_second_are_read(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "0.json"
    curve = LiveCurve(path, clock)
    curve.begin()
    for step in range(100):
        clock.seconds = step / 16
        curve.follow(f"epoch {step}\nloss: {step}.5 accuracy 0.1\n".encode(), None)
    assert [(point.seconds, point.step, point.loss) for point in curve.curve] == [
        (eighth / 8, eighth, 2 * eighth + 0.5) for eighth in range(50)
    ]
    assert json.loads(path.read_text())["points"][-1] == [6.0, 96.5]
    clock.seconds = 9.0
    curve.follow(b"loss 3", ("score", 7.0))
    assert (curve.name, curve.curve[-1].loss) == ("loss", 3.0)


def test_an_objective_that_is_printed_goes_before_a_loss(tmp_path: Path) -> None:
    path = tmp_path / "0.json"
    curve = LiveCurve(path)
    curve.begin()
    curve.follow(b"loss: 1.0", ("accuracy", 0.75))
    assert json.loads(path.read_text())["name"] == "accuracy"


def test_a_place_that_cannot_be_written_hurts_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    curve = LiveCurve(tmp_path / "file" / "0.json")
    curve.begin()
    curve.tell("loss", 0.0, 1.0)
    curve.end()


@pytest.mark.parametrize(
    ("printed", "loss"),
    [
        (b"", None),
        (b"step 3 | train_loss=0.25 | lr 1e-3", 0.25),
        (b"{'loss': 1.5e-2, 'epoch': 2}", 0.015),
        (b"loss 2\nloss 1\naccuracy 3\n", 1.0),
        (b"Loss: -4.5", -4.5),
        (b"lossless 3", None),
        (b"gloss 3", None),
        (b"\xff\x1b[31mloss\x1b[0m 7", 7.0),
        (b"loss" * 100_000, None),
        (b"loss: " + b"1" * 5000, None),
    ],
)
def test_the_last_loss_is_found(printed: bytes, loss: float | None) -> None:
    assert loss_in(printed) == loss
