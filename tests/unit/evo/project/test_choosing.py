"""Which of the metrics that a program printed decides, where neither a flag nor the documentation says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evo.project.choosing import Choice, reported, with_documented_directions
from evo.project.found import FirstRun, Metric, Unclear
from evo.project.instructions import Instructions
from evo.project.output import values_of
from trainer.objectives import Direction
from trainer.script.readings import printed_lines


def first(printed: str, folder: Path) -> Metric:
    run = FirstRun(tuple(printed_lines(printed.encode())), is_complete=True, seconds=1.0)
    texts = Instructions(folder)
    metrics = with_documented_directions(reported([], run, texts), texts, "")
    return Choice(metrics, "train.py", texts, run).first(None)


@pytest.mark.parametrize(
    "printed",
    [
        "[D loss: 0.5] [G loss: 1.5]\n",
        "loss_gen: 0.5\nloss_critic: 1.5\n",
        "White wins: 5 of 20, Black wins: 7 of 20\n",
    ],
)
def test_of_two_opponents_none_is_chosen_unasked(printed: str, tmp_path: Path) -> None:
    with pytest.raises(Unclear, match="none tells alone how good"):
        first(printed, tmp_path)


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("Fold 1 RMSE: 0.5\nFold 2 RMSE: 0.7\nOOF RMSE: 0.6\n", "oof_rmse"),
        ("loss_pi: -0.5\nepisode_return: 200\nfps: 1000\n", "episode_return"),
        ("runtime: 3.5 s\nval_loss: 0.5\ndrift: 0.1\n", "val_loss"),
        ("final c-index (valid): 0.75\ntime: 3.5 s\n", "final_cindex_valid"),
        ("Solved: 12/20\nTime (seconds): 0.5\n", "solved"),
        ("precision: 0.9\nrecall: 0.7\nf1: 0.8\n", "f1"),
        ("Class  Images  mAP50\ncat  9  0.9\nall  128  0.5\ndog  9  0.6\n", "all_map50"),
        ("actor loss: 0.5\ncritic loss: 1.5\nreward: 20\n", "reward"),
        ("val epoch average loss: 0.5\ntrain epoch average loss: 0.4\n", "val_loss"),
        ("acc1: 0.5\nacc5: 0.9\n", "acc1"),
        ("accuracy: 0.9\n| class | F1 |\n|---|---|\n| cat | 0.5 |\n| dog | 0.4 |\n", "accuracy"),
    ],
)
def test_what_decides(printed: str, name: str, tmp_path: Path) -> None:
    assert first(printed, tmp_path).name == name


@pytest.mark.parametrize(
    ("printed", "named"),
    [
        ("sum_of_radii: 2.5\neval_time: 12.5\n", ("sum_of_radii", "eval_time")),
        ("evaluation time: 12.5 s\n", ("evaluation_time",)),
        ("loss: 0.5\nloss: 0.25\ndrift = 0.125\n", ("drift", "loss")),
        ("Objective value: 12.5\nTime (seconds): 0.5\n", ("objective_value",)),
        ("Loss: 0.01, Train: 0.99, Val: 0.75, Test: 0.8\n", ("val",)),
        ("Best value: 1458\n", ("best_value",)),
        ("Primal bound  12.5\nDual bound  12.5\nGap  0%\n", ("primal_bound", "dual_bound", "gap")),
        ("| mode | RMSE |\n|---|---|\n| a | 0.5 |\n| b | 0.4 |\n", ("a_rmse", "b_rmse")),
    ],
)
def test_what_is_asked(printed: str, named: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(Unclear, match="Answer: evo init --metric") as raised:
        first(printed, tmp_path)
    assert [one for one, _ in raised.value.question.options] == list(named)


def test_a_unit_that_the_program_chooses_is_read_with_the_number(tmp_path: Path) -> None:
    in_source = Metric("time", "Time", "bench.py:3", "main", r"^Time:\s*(\S+)")
    (metric,) = reported(
        [in_source], FirstRun(("Time: 12.5 ms",), is_complete=True, seconds=1.0), Instructions(tmp_path)
    )
    assert (metric.unit, metric.where) == ("ms", "bench.py:3")
    assert values_of(metric, ["Time: 1.25 s"]) == [1250.0]


@pytest.mark.parametrize(
    ("printed", "direction"),
    [
        ("drift: 0.5  # higher is better\n", Direction.MAXIMIZE),
        ("drift (lower is better): 0.5\n", Direction.MINIMIZE),
        ("drift↓: 0.5\n", Direction.MINIMIZE),
    ],
)
def test_a_line_tells_which_direction_is_better(printed: str, direction: Direction, tmp_path: Path) -> None:
    assert first(printed, tmp_path).direction is direction


def test_a_change_is_no_direction(tmp_path: Path) -> None:
    with pytest.raises(Unclear, match="Which direction"):
        first("drift: 0.5 (↑0.25)\n", tmp_path)


@pytest.mark.parametrize(
    ("text", "printed", "name"),
    [
        ("Goal: maximise `ratio`.", "90 -> 30 bytes, ratio 3.0, 12.5 MB/s\n", "ratio"),
        ("Lower MMD is better.", "loss: 0.5\nloss: 0.25\nMMD^2 = 0.125\n", "mmd_2"),
        ("Lower drift is better.", "loss: 0.5\nloss: 0.25\ndrift = 0.125\n", "drift"),
        ("Reduce the VM steps.", "VM steps: 1234\n", "vm_steps"),
    ],
)
def test_the_aim_of_the_documentation_is_read(text: str, printed: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert first(printed, tmp_path).name == name


def test_a_word_before_a_label_makes_no_other_metric(tmp_path: Path) -> None:
    in_source = Metric("rmse", "rmse", "train.py:1", "", r"^best.*\brmse\s+(\S+)")
    run = FirstRun(("best: ridge  rmse 0.5", "train rmse 0.25"), is_complete=True, seconds=1.0)
    (again, train) = reported([in_source], run, Instructions(tmp_path))
    assert (again.name, train.name) == ("rmse", "train_rmse")
