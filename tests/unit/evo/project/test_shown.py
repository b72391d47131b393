"""Which printed values show a loss that is trained or a measure of the test set, and what follows from it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from script_runs import write_files

from evo.project.examine import examine
from evo.project.found import Found
from evo.project.shown import TrainedLoss, trained_loss


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("loss = f(x)\nloss.backward()\nprint(loss.item())", TrainedLoss("loss")),
        ("for x in y:\n    cost = f(x)\n    print(cost)\n    cost.backward()", TrainedLoss("cost")),
        ("loss = f(x)\nscaler.scale(loss).backward()\nprint(np.exp(loss.item()))", TrainedLoss("loss")),
        ("loss = f(x)\naccelerator.backward(loss)\nlast = loss.item()\nprint(last)", TrainedLoss("loss")),
        ("loss = f(x)\n(loss / 4).backward()\ntotal += loss.item()\nprint(total / n)", TrainedLoss("loss")),
        ("loss = f(x)\nloss.backward()\nall.append(loss.item())\nprint(np.mean(all))", TrainedLoss("loss")),
        ("a, b = f(x), g(x)\nkl = g(x)\nloss = a + 0.1 * kl\nloss.backward()\nprint(kl)", TrainedLoss("kl", True)),
        ("t = Adam(0.1).minimize(cost)\n_, c = run([t, cost])\nprint(c)", TrainedLoss("cost")),
        ("found = minimize(cost, x0)\nprint(found.fun)", None),
        ("loss = f(x)\nif split == 'train':\n    loss.backward()\nprint(loss.item())", None),
        ("loss = f(x)\nif training:\n    loss.backward()\n    print(loss.item())", TrainedLoss("loss")),
        ("loss = f(x)\nloss.backward()\nloss = f(held_out)\nprint(loss.item())", None),
        ("loss = f(x)\nloss.backward()\naccuracy = evaluate(model)\nprint(accuracy)", None),
        ("def train():\n    loss = f(x)\n    loss.backward()\ndef test():\n    loss = f(v)\n    print(loss)", None),
    ],
)
def test_what_a_printed_value_shows(source: str, found: TrainedLoss | None) -> None:
    tree = ast.parse(source)
    [call] = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and ast.unparse(one.func) == "print"]
    assert trained_loss(tree, ast.unparse(call.args[0]), call.lineno) == found


def look(folder: Path, source: str) -> Found:
    return examine(write_files(folder / "project", {"train.py": source}), home=folder)


def test_a_loss_without_a_word_for_its_data_is_known_to_be_of_training(tmp_path: Path) -> None:
    found = look(tmp_path, "for x in y:\n    cost = f(x)\n    cost.backward()\nprint(f'cost: {cost.item():.3f}')\n")
    assert any("cost is measured on the training data" in note for note in found.notes)


@pytest.mark.parametrize(
    "made",
    [
        "d_loss = f(x)\n    d_loss.backward()\n    g_loss = g(x)\n    g_loss.backward()",
        "d_loss = f(x)\n    g_loss = g(x)\n    loss = d_loss + 10 * g_loss\n    loss.backward()",
    ],
)
def test_one_of_several_trained_losses_is_not_selected_on_unasked(made: str, tmp_path: Path) -> None:
    report = "    print(f'D loss: {d_loss.item():.3f} G loss: {g_loss.item():.3f}')\n"
    found = look(tmp_path, f"for x in y:\n    {made}\n{report}")
    assert found.question is not None
    assert found.question.text.endswith("Answer: evo init --metric d_loss")


def test_the_whole_of_a_trained_loss_goes_before_its_parts(tmp_path: Path) -> None:
    made = "kl = f(x)\n    fit_loss = g(x)\n    loss = fit_loss + kl\n    loss.backward()\n"
    report = "    print(f'fit loss: {fit_loss:.3f} kl: {kl:.3f} loss: {loss.item():.3f}')\n"
    found = look(tmp_path, f"for x in y:\n    {made}{report}")
    assert found.objectives[0].name == "loss"


@pytest.mark.parametrize(
    ("printed", "is_noted"),
    [
        ("'accuracy: %s' % score(y_test, p)", True),
        ("'accuracy:', found", True),
        ("'accuracy:', score(y_val, p)", False),
        ("'passed:', score(test_cases)", False),
    ],
)
def test_a_measure_of_what_the_program_calls_its_test_data_is_noted(
    printed: str, is_noted: bool, tmp_path: Path
) -> None:
    found = look(tmp_path, f"found = score(model, test_loader)\nprint({printed})\n")
    assert found.objectives[0].name in ("accuracy", "passed")
    assert any("measured on the test set" in note for note in found.notes) is is_noted


@pytest.mark.parametrize(
    ("loop", "is_noted"),
    [
        ("    if loss < best_val_loss:\n        best_val_loss = loss\n", True),
        ("    if step and loss < best_val_loss:\n        best_val_loss = loss\n", True),
        ("    if best_val_loss > loss:\n        best_val_loss, kept = loss, step\n", True),
        ("    best_val_loss = min(best_val_loss, loss)\n", True),
        ("    best_val_loss = loss\n", False),
        ("    if step < 3:\n        best_val_loss = loss\n", False),
    ],
)
def test_the_best_of_several_measurements_is_noted(tmp_path: Path, loop: str, is_noted: bool) -> None:
    source = (
        "best_val_loss, kept = 9.0, 0\nfor step in range(5):\n    loss = 1 / (1 + step)\n"
        f"{loop}print(f'val_loss: {{best_val_loss:.4f}}')\n"
    )
    found = examine(write_files(tmp_path / "project", {"train.py": source}))
    assert any("the best of several measurements" in note for note in found.notes) is is_noted
