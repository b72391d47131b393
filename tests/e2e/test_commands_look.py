"""Every command that looks at a run, over one finished run of the installed command."""

import ast
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command_line import environment, evo
from run_inspection import unguard


def read(*arguments: str | Path, cwd: Path | None = None) -> Any:
    done = evo(*arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def text(*arguments: str | Path) -> str:
    done = evo(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def family(finished_run: Path) -> dict[int, Any]:
    return {member["id"]: member for member in read("lineage", finished_run)}


@pytest.fixture(scope="module")
def child(family: dict[int, Any]) -> int:
    """An individual whose only parent is generation 0."""
    return next(id_ for id_, member in family.items() if member["parents"] == [0])


def test_status(finished_run: Path) -> None:
    status = read("status", finished_run)
    assert (status["state"], status["driver"], status["running"]) == ("finished", None, [])
    assert (status["generation"], status["generations"]) == (4, 4)
    assert status["seconds_left"] == 0
    summary = status["summary"]
    assert summary["told"] == summary["budget"] == 8
    assert sum(summary["statuses"].values()) == 8
    failures = 8 - summary["statuses"]["ok"]
    assert sum(group["count"] for group in status["failures"]) == failures
    assert all(sum(group["reasons"].values()) == group["count"] for group in status["failures"])
    shown = text("status", finished_run)
    assert f"{finished_run}: finished" in shown
    assert "8 of 8 evaluations" in shown
    assert "generation    4 of 4 complete" in shown
    assert "σ = " in shown


def test_workers(finished_run: Path) -> None:
    workers = read("workers", finished_run)
    assert sum(worker["results"] for worker in workers) == 8
    assert all(worker["doing"] == "ended" and worker["individual"] is None for worker in workers)
    assert all(0 < worker["busy"] <= 1 and "torch" in worker["device_class"] for worker in workers)
    lines = text("workers", finished_run).splitlines()[1:]
    assert [line.split()[:2] for line in lines] == [[worker["name"], "ended"] for worker in workers]


def test_best(finished_run: Path) -> None:
    best = read("best", finished_run)
    ast.parse(best["source"])
    assert best["best"]["objectives"]["val_bpb"] <= best["generation_zero"]["objectives"]["val_bpb"]
    assert text("best", finished_run, "--source") == best["source"]
    shown = text("best", finished_run)
    assert f"#{best['best']['id']}" in shown
    assert f"{best['best']['objectives']['val_bpb']:.4f}" in shown


def test_show(finished_run: Path, child: int) -> None:
    facts = read("show", finished_run, str(child))
    assert (facts["id"], facts["parents"]) == (child, [0])
    (evaluation,) = [one for one in facts["evaluations"] if one["purpose"] == "search"]
    assert evaluation["seed"] == 0
    assert evaluation["splits"] == ["S"]
    result = evaluation["result"]
    assert result["status"] == "ok" or result["reason"]
    shown = text("show", finished_run, f"#{child}")
    assert f"#{child} by {facts['operator']} from #0" in shown
    assert "\nresult  purpose" in shown


def test_show_generation_zero_with_its_replicates_and_curve(finished_run: Path) -> None:
    facts = read("show", finished_run, "0", "--prompts")
    assert facts["exchanges"] == []
    assert {one["seed"] for one in facts["evaluations"]} >= {0, 1}
    assert set(facts["evaluations"][0]["result"]["split_bpb"]) == {"S", "G"}
    shown = text("show", finished_run, "0")
    assert f"  {facts['evaluations'][0]['result']['split_bpb']['G']:.4f}  " in shown
    assert "training loss" in shown


def test_diff_applies_with_patch(finished_run: Path, child: int, tmp_path: Path) -> None:
    change = text("diff", finished_run, str(child))
    assert change.startswith(f"--- 0/train.py\n+++ {child}/train.py\n@@")
    assert change == text("diff", finished_run, "0", str(child))
    assert read("diff", finished_run, str(child)) == {"from": 0, "to": child, "diff": change}
    first = evo("diff", finished_run, "0")
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "evo: #0 has nothing before it\n")
    evo("export", finished_run, "0", "--out", tmp_path / "train.py")
    subprocess.run(["git", "apply", "--unsafe-paths", "-p1", "-"], input=change, text=True, cwd=tmp_path, check=True)
    evo("export", finished_run, str(child), "--out", tmp_path / "child.py")
    assert (tmp_path / "train.py").read_bytes() == (tmp_path / "child.py").read_bytes()


def test_lineage_is_what_git_says(finished_run: Path, family: dict[int, Any], child: int) -> None:
    log = ["git", "-C", str(finished_run / "lineage.git"), "log", "--all", "--format=%(trailers:key=Evo-Individual)"]
    commits = subprocess.run(log, capture_output=True, text=True, check=True).stdout.split()
    assert sorted(int(word) for word in commits if word.isdecimal()) == sorted(family)
    assert [member["id"] for member in read("lineage", finished_run, str(child))] == [child, 0]
    tree = text("lineage", finished_run)
    assert len(tree.splitlines()) == len(family)
    assert tree.startswith("#0 ")
    assert text("lineage", finished_run, str(child)).splitlines()[-1].split()[0] == "#0"


def test_pareto_front_is_not_dominated(finished_run: Path, family: dict[int, Any]) -> None:
    names = ["val_bpb", "peak_memory_mib"]
    answer = read("pareto", finished_run, "--objectives", ",".join(names))
    assert answer["objectives"] == names
    measured = [member["objectives"] for member in family.values() if member["objectives"]]
    for member in answer["front"]:
        mine = member["objectives"]
        better = [other for other in measured if all(other[name] < mine[name] for name in names)]
        assert better == []
    assert answer["hypervolume"][-1][1] > 0
    shown = text("pareto", finished_run)
    assert "id  val_bpb  tokens_per_second  idea" in shown
    assert "hypervolume   " in shown
    assert "hypervolume   " in text("status", finished_run)


def test_export(finished_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.py"
    best = read("best", finished_run)
    assert text("export", finished_run, "--out", out) == f"{out}\n"
    assert out.read_text(encoding="utf-8") == best["source"]
    again = evo("export", finished_run, "0", "--out", out)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert out.read_text(encoding="utf-8") == best["source"]
    assert evo("export", finished_run, "0", "--out", out, "--force").returncode == 0
    assert evo("export", finished_run, "0", cwd=tmp_path).stdout == "individual-0.py\n"
    assert (tmp_path / "individual-0.py").read_bytes() == out.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"out.py", "individual-0.py"}


def test_report(finished_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert text("report", finished_run, "--out", out) == f"{out}\n"
    page = out.read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert "Generation 0" in page
    assert (finished_run / "report.html").exists()
    refused = evo("report", finished_run, "--out", tmp_path / "none" / "page.html")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1


def test_check(finished_run: Path, tmp_path: Path) -> None:
    checked = read("check", finished_run, "--replay")
    assert checked["violations"] == []
    assert checked["replay"]["difference"] is None
    assert checked["replay"]["individuals"] > 0
    assert "individuals came out the same\n" in text("check", finished_run, "--replay")
    assert "is in order" in text("check", finished_run)
    damaged = tmp_path / "damaged"
    shutil.copytree(finished_run, damaged)
    with closing(sqlite3.connect(damaged / "evo.db")) as database, database:
        unguard(database)
        database.execute("UPDATE genomes SET source = source || '# more'")
    found = evo("check", damaged)
    assert found.returncode == 1
    assert "error store: the genome of individual 0" in found.stdout
    assert len(json.loads(evo("check", damaged, "--json").stdout)["violations"]) > 1


def test_looking_writes_nothing(finished_run: Path) -> None:
    def written() -> dict[Path, int]:
        files = (path for path in finished_run.rglob("*") if path.is_file())
        # Readers of a store share their locks through the file that is left out here.
        return {path: path.stat().st_mtime_ns for path in files if not path.name.endswith(("-shm", "-wal"))}

    before = written()
    for command in ("status", "best", "show", "diff", "lineage", "pareto", "check"):
        evo(command, finished_run)
    assert written() == before


def test_without_a_run_the_newest_one_is_meant(finished_run: Path, tmp_path: Path) -> None:
    folder = finished_run.parents[1]
    done = evo("show", "0", cwd=folder)
    assert done.returncode == 0
    assert done.stderr == f"evo: {finished_run.relative_to(folder)} (newest run)\n"
    assert read("status", cwd=folder)["path"] == "runs/a run"
    nothing = evo("status", cwd=tmp_path)
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "./runs" in nothing.stderr


@pytest.mark.parametrize(
    "command", ["status", "best", "show", "diff", "lineage", "pareto", "export", "report", "check", "resume"]
)
def test_a_folder_that_is_no_run(command: str, tmp_path: Path) -> None:
    refuses(command, tmp_path / "nothing")


def test_a_file_and_a_folder_of_other_things_are_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refuses("status", tmp_path)
    refuses("status", tmp_path / "file")


def refuses(command: str, path: Path) -> None:
    done = evo(command, path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"evo: A run was expected in {path}, but it ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["show", "diff", "lineage", "export"])
@pytest.mark.parametrize(("name", "words"), [("99", "no individual 99"), ("first", "'first'"), ("1 2 3", "'1 2 3'")])
def test_an_unknown_individual(command: str, name: str, words: str, finished_run: Path, tmp_path: Path) -> None:
    done = evo(command, finished_run, name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_a_newer_version_is_refused(finished_run: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(finished_run, newer)
    with closing(sqlite3.connect(newer / "evo.db")) as database:
        database.execute("PRAGMA user_version = 9999")
    done = evo("status", newer)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "newer" in done.stderr


def test_results_table_has_a_line_for_each_evaluation(finished_run: Path) -> None:
    header, *lines = (finished_run / "results.tsv").read_text(encoding="utf-8").splitlines()
    assert header == "commit\tval_bpb\tmemory_gb\tstatus\tdescription"
    assert len(lines) == 8


def test_doctor_names_everything_and_shows_no_key(tmp_path: Path) -> None:
    key = "sk-ant-secret-1234"
    done = evo("doctor", tmp_path, env=environment(ANTHROPIC_API_KEY=key, ANTHROPIC_BASE_URL="http://me:pw@h:1"))
    assert done.returncode == 0, done.stdout
    for subject in (
        "Python",
        "torch",
        "git",
        "SQLite",
        "devices",
        "sandbox",
        "CPU time",
        "cores",
        "memory",
        "disk",
        "data",
        "coding agents",
    ):
        assert f" {subject} " in done.stdout
    assert key not in done.stdout
    assert "pw" not in done.stdout
    assert all(finding["state"] in ("ok", "note") for finding in read("doctor", tmp_path))


def test_doctor_tells_when_another_program_is_called_evo(tmp_path: Path) -> None:
    other = tmp_path / "evo"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    env = environment(PATH=f"{tmp_path}:{os.environ['PATH']}")
    command = next(one for one in json.loads(evo("doctor", "--json", env=env).stdout) if one["subject"] == "command")
    assert str(other) in command["found"]
    assert "evo-train" in command["advice"]


def test_doctor_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    env = environment(PATH=str(tmp_path / "bin"), ANTHROPIC_BASE_URL="http://h:1/v1", EVO_CACHE=str(tmp_path / "none"))
    done = evo("doctor", env=env)
    assert done.returncode == 1
    assert "install git" in done.stdout
    assert "Did you mean http://h:1?" in done.stdout
    assert "evo prepare" in done.stdout
