"""Which files of a working folder are kept after a run."""

from __future__ import annotations

from pathlib import Path

from trainer.script.left import copy_left


def test_small_files_with_numbers_are_copied_and_nothing_else(tmp_path: Path) -> None:
    folder, target = tmp_path / "work", tmp_path / "kept"
    target.mkdir()
    for name in ("logs/a.jsonl", "b.json", "c.csv", "data/d.csv", "e.txt", ".hidden/f.json", "1/2/3/4/5/6/g.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}", encoding="utf-8")
    (folder / "large.csv").write_bytes(b"1" * 2**21)
    (tmp_path / "secret.json").write_text("{}", encoding="utf-8")
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "outside").symlink_to(tmp_path)
    copy_left(folder, target, ["data", "train.py"])
    kept = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    assert kept == ["b.json", "c.csv", "logs/a.jsonl"]
