"""The metrics in files that a program left."""

from __future__ import annotations

from pathlib import Path

import pytest

from evo.project.left import metrics_left


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("m.json", '{"val_loss": 0.5, "epoch": 3, "name": "x", "ok": true}', {"val_loss": "val_loss"}),
        ("m.json", '{"public": {"accuracy": 0.5}, "a.b": 1.0}', {"public_accuracy": "public.accuracy"}),
        ("m.json", "[1, 2]", {}),
        ("m.json", "{", {}),
        ("m.jsonl", '{"train_loss": 1}\n\n{"val_loss": 2}\n', {"train_loss": "train_loss", "val_loss": "val_loss"}),
        ("m.jsonl", '{"val_loss": 1}\n{"val', {}),
        ("m.csv", "epoch,val/acc,note\n1,0.5,a\n2,0.75,b\n", {"val_acc": "val/acc"}),
        ("m.tsv", "epoch\tval_acc\n1\t50%\n", {"val_acc": "val_acc"}),
        ("m.csv", "", {}),
        ("m.csv", "a,b\n", {}),
    ],
)
def test_numbers_with_keys_are_metrics(name: str, text: str, expected: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / name).write_text(text, encoding="utf-8")
    found = metrics_left(tmp_path)
    assert {one.name: one.key for one in found} == expected
    assert {one.json_file for one in found} <= {f"results/{name}"}


def test_of_two_files_with_one_name_the_first_counts(tmp_path: Path) -> None:
    for name in ("b.json", "a.json"):
        (tmp_path / name).write_text('{"val_loss": 1}', encoding="utf-8")
    assert [one.json_file for one in metrics_left(tmp_path)] == ["a.json"]
