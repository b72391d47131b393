"""Script tasks through the installed command: whole runs of programs that take some milliseconds."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_line import environment, evo, running
from jsonschema import Draft202012Validator
from script_runs import write_files

from operators.llm.rehearsal import MessagesServer

CONFIG = """
    [task]
    kind = "script"
    genome = ["run.py", "model/net.py"]
    frozen = "prepare.py"
    command = "python run.py"

    [task.objectives.score]
    direction = "maximize"
    unit = "points"
    pattern = '^score: (\\S+)'
    """

TWO_FILES = {
    "evo.toml": CONFIG,
    "prepare.py": "TARGET = 5.0\n",
    "model/net.py": """
        from __future__ import annotations

        from prepare import TARGET

        WIDTH = 2.0


        def error() -> float:
            return abs(WIDTH - TARGET)
        """,
    "run.py": """
        from __future__ import annotations

        import os

        from model.net import error

        RATE = 0.5
        NOISE = int(os.environ["EVO_SEED"]) % 7

        print(f"score: {10 - error() - abs(RATE - 0.1) + 0.001 * NOISE:.6f}")
        """,
}
ROOT = Path(__file__).parents[2]

# Wider is better, and forbidden beyond 2.5.
BOUNDED = {
    "evo.toml": CONFIG.replace('["run.py", "model/net.py"]', '"run.py"').replace(
        "\n    [task.obj", "\n    BOUND\n\n    [task.obj"
    )
    + '\n    [task.objectives.size]\n    direction = "minimize"\n    json = "out/metrics.json"\n    key = "sizes.0"\n',
    "prepare.py": "FACTOR = 10\n",
    "run.py": """
        import json
        import os

        from prepare import FACTOR

        WIDTH = 2.0

        os.mkdir("out")
        with open("out/metrics.json", "w") as file:
            json.dump({"sizes": [WIDTH * FACTOR]}, file)
        print("score:", WIDTH + 0.0001 * (int(os.environ["EVO_SEED"]) % 7))
        """,
}


# The longer the better, and with a wide one longer still.
TIMED = {
    "evo.toml": CONFIG.replace('["run.py", "model/net.py"]', '"run.py"').replace(
        'run.py"\n\n', 'run.py {seconds}"\n    fixed_seconds = 40.0\n\n'
    )
    + "\n    [fidelity]\n    rungs = [0.25, 1.0]\n    calibrate = 8\n",
    "prepare.py": "",
    "run.py": """
        import os
        import sys

        WIDTH = 2.0

        print("score:", WIDTH * (1 + 0.1 * float(sys.argv[1])) + 0.0001 * (int(os.environ["EVO_SEED"]) % 7))
        """,
}


def bounded(bound: str) -> dict[str, str]:
    return BOUNDED | {"evo.toml": BOUNDED["evo.toml"].replace("BOUND", f'constraints = "{bound}"')}


def read(*arguments: str | Path) -> Any:
    done = evo(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def text(*arguments: str | Path) -> str:
    done = evo(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def git(path: Path, *arguments: str) -> str:
    command = ["git", "-C", str(path / "lineage.git"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def slow(files: dict[str, str], seconds: float) -> dict[str, str]:
    return files | {"run.py": files["run.py"] + f"\n        import time\n        time.sleep({seconds})\n"}


def told_once(path: Path, budget: int) -> None:
    """See that a run has spent its budget and everything about it is in order."""
    assert read("status", path)["summary"]["told"] == budget
    assert text("check", path) == f"{path} is in order\n"


# A whole run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, begun without a word about its configuration; no test may write to it."""
    project = write_files(tmp_path_factory.mktemp("script") / "project", TWO_FILES)
    done = evo("run", "--pop", "4", "--gens", "4", "--workers", "2", "--out", "runs/a", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "16 of 16 evaluations" in done.stdout
    assert "score (self-reported)" in done.stdout
    assert "script run.py, model/net.py of project" in done.stderr
    assert (project / "model/net.py").read_text().count("WIDTH = 2.0") == 1
    return project / "runs" / "a"


def test_the_gain_is_confirmed_with_fresh_seeds(run: Path) -> None:
    gain = read("best", run)["gain"]
    assert gain["value"] > 0
    assert gain["own"] == pytest.approx(gain["generation_zero"] + gain["value"])
    shown = read("show", run, str(gain["individual"]))
    seeds: dict[str, set[int]] = {}
    for one in shown["evaluations"]:
        seeds.setdefault(one["purpose"], set()).add(one["seed"])
    assert len(seeds["confirm"]) == gain["seeds"] >= 2
    assert not seeds["confirm"] & seeds["search"]


def test_everybody_is_told_that_nobody_checks_the_numbers(run: Path) -> None:
    best = str(read("best", run)["best"]["id"])
    for command in (("status", run), ("best", run), ("pareto", run), ("show", run, best), ("lineage", run, best)):
        assert "score (self-reported)" in text(*command), command
    assert "self-reported" in (run / "report.html").read_text()
    objectives = {one["name"]: one["self_reported"] for one in read("status", run)["summary"]["objectives"]}
    assert objectives["score"] is True
    assert objectives["run_seconds"] is False


def test_larger_is_better_where_the_task_says_so(run: Path) -> None:
    best = read("best", run)
    measured = [one["objectives"]["score"] for one in read("lineage", run) if one["status"] == "ok"]
    assert (
        best["best"]["objectives"]["score"]
        > best["generation_zero"]["objectives"]["score"]
        == pytest.approx(6.6, abs=0.01)
    )
    assert best["best"]["objectives"]["score"] == pytest.approx(max(measured), abs=0.02)


def test_each_file_of_a_genome_stands_in_the_family_tree(run: Path, tmp_path: Path) -> None:
    best = read("best", run)
    assert git(run, "ls-tree", "-r", "--name-only", "best").split() == ["model/net.py", "run.py"]
    for name in ("model/net.py", "run.py"):
        content = git(run, "show", f"best:{name}")
        assert content in best["source"]
        assert "evo file" not in content
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "prepare.py").write_text(TWO_FILES["prepare.py"])
    env = environment(EVO_SEED="0")
    again = subprocess.run(["python3", "run.py"], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert float(again.stdout.split()[1]) == pytest.approx(best["best"]["objectives"]["score"], abs=0.007)


def test_results_tsv_has_a_line_for_every_evaluation(run: Path) -> None:
    header, *rows = [line.split("\t") for line in (run / "results.tsv").read_text().splitlines()]
    assert header == ["commit", "score", "memory_gb", "status", "description"]
    assert len(rows) == 16
    assert {row[3] for row in rows} <= {"keep", "discard", "crash"}
    assert all(float(row[1]) for row in rows if row[3] != "crash")


def test_a_finished_run_is_in_order(run: Path) -> None:
    told_once(run, 16)


def test_a_genome_of_several_files_is_exported_as_such(run: Path, tmp_path: Path) -> None:
    text("export", run, "best", "--out", tmp_path / "best")
    for name in ("model/net.py", "run.py"):
        assert (tmp_path / "best" / name).read_text() == git(run, "show", f"best:{name}")


# Whoever stops it


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", slow(TWO_FILES, 0.05))
    path = tmp_path / "run"
    size = ("--pop", "4", "--gens", "4", "--workers", "2")
    with running("run", "--config", project / "evo.toml", *size, "--out", path) as driver:
        driver.wait_for_results(5)
        driver.finish(signal.SIGKILL)
    killed = read("lineage", path)
    assert len(killed) < 16
    assert "16 of 16 evaluations" in text("resume", path)
    told_once(path, 16)
    known = {one["id"]: one for one in read("lineage", path)}
    result_number = [one for one in killed if one["status"] == "ok" and one["id"] != 0]
    assert result_number
    assert [(known[one["id"]]["idea"], known[one["id"]]["status"]) for one in result_number] == [
        (one["idea"], one["status"]) for one in result_number
    ]


def test_an_edited_frozen_file_ends_a_run_and_keeps_it_from_going_on(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", slow(TWO_FILES, 0.1))
    path = tmp_path / "run"
    with running("run", "--config", project / "evo.toml", "--pop", "4", "--gens", "4", "--out", path) as driver:
        driver.wait_for_results(6)
        (project / "prepare.py").write_text("TARGET = 2.0\n")
        assert driver.process.wait() == 1
    said = "".join(driver.err)
    (line,) = [line for line in driver.err if line.startswith("evo:")]
    assert "The frozen prepare.py changed since the run began" in line
    assert "Traceback" not in said
    result_number = read("status", path)["summary"]["told"]
    assert result_number >= 4
    assert read("status", path)["summary"]["statuses"].get("rejected", 0) == 0

    refused = evo("resume", path)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "The frozen prepare.py changed since this run began" in refused.stderr
    assert read("status", path)["summary"]["told"] == result_number

    write_files(project, {"prepare.py": TWO_FILES["prepare.py"]})
    assert "16 of 16 evaluations" in text("resume", path)
    told_once(path, 16)


# Constraints


def test_who_breaks_a_constraint_is_never_the_best_while_another_keeps_it(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", bounded("size < 25"))
    path = tmp_path / "run"
    done = evo("run", "--pop", "4", "--gens", "8", "--workers", "1", "--out", path, cwd=project)
    assert done.returncode == 0, done.stderr
    measured = [one["objectives"] for one in read("lineage", path) if one["status"] == "ok"]
    best = read("best", path)
    assert max(one["score"] for one in measured if one["size"] >= 25) > best["best"]["objectives"]["score"]
    assert best["best"]["objectives"]["size"] < 25
    assert best["best"]["broken"] == []
    assert all(one["objectives"]["size"] < 25 for one in read("pareto", path)["front"])
    assert git(path, "show", "best:run.py") == best["source"]


def test_generation_0_may_break_a_constraint_and_others_lead_out(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", bounded("size <= 15"))
    path = tmp_path / "run"
    done = evo("run", "--pop", "4", "--gens", "8", "--workers", "1", "--out", path, cwd=project)
    assert done.returncode == 0, done.stderr
    best = read("best", path)
    assert best["generation_zero"]["broken"]
    assert best["best"]["objectives"]["size"] <= 15
    assert best["best"]["broken"] == []


# Rungs


def test_a_killed_run_on_rungs_spends_its_budget_and_shows_how_ranks_agree(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", TIMED)
    path = tmp_path / "run"
    size = ("--pop", "5", "--gens", "4", "--workers", "1", "--seed", "2")
    with running("run", "--config", project / "evo.toml", *size, "--out", path) as driver:
        driver.wait_for_results(9)
        driver.finish(signal.SIGKILL)
    resumed = text("resume", path)
    assert text("check", path, "--replay").endswith("is in order\n")

    summary = read("status", path)["summary"]
    (rung,) = summary["rungs"]
    assert 19 < summary["spent"] <= 20 < summary["told"]
    assert f"{summary['spent']:g} of 20 evaluations spent on {summary['told']} results" in resumed
    assert rung["correlation"] > 0.9
    assert rung["pairs"] >= 8
    assert rung["promoted"] < rung["results"]
    assert f"rung 0.25     {rung['results']} results" in text("status", path)
    # The best was given 40 s, and everything that was said of anybody rests on that.
    best = str(read("best", path)["best"]["id"])
    assert ("search", 1.0) in {(one["purpose"], one["share"]) for one in read("show", path, best)["evaluations"]}
    assert all(one["objectives"]["score"] >= 4 for one in read("lineage", path, best) if one["objectives"])


# What cannot be run


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"run.py": "raise SystemExit('no data here')\n"}, "no data here"),
        ({"run.py": "print('points: 3')\n"}, "printed no line that matches the pattern of score"),
        ({"run.py": "print('score: nan')\n"}, "reported score as nan"),
        ({"run.py": "import absent\n"}, "No module named 'absent'"),
    ],
)
def test_a_program_that_fails_ends_the_run_with_its_reason(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    project = write_files(tmp_path / "project", TWO_FILES | changes)
    done = evo("run", "--pop", "2", "--gens", "2", "--out", "run", cwd=project)
    assert done.returncode != 0
    assert "Generation 0 must" in done.stderr
    assert words in done.stderr
    assert 'Traceback (most recent call last):\n  File "/work' not in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kind = ", "kidn = ", "kidn"),
        ("frozen = ", "frozn = ", "did you mean 'frozen'?"),
        ('"prepare.py"', '"absent.py"', "`task.frozen` names 'absent.py', but there is no file or folder"),
        ('"model/net.py"', '"model/absent.py"', "absent.py cannot be read: No such file"),
        ('"python run.py"', '"python other.py"', "`task.command` runs other.py, but is not given it"),
        ('"python run.py"', '"absent run.py"', "`task.command` runs 'absent', but there is no such program"),
        ("(\\S+)", "\\S+", "`task.objectives.score.pattern` must have one group"),
        ("[task]", "[task", "must be a TOML file"),
    ],
)
def test_a_wrong_file_is_refused_and_nothing_written(tmp_path: Path, old: str, new: str, words: str) -> None:
    project = write_files(tmp_path / "project", TWO_FILES | {"other.py": "pass\n"})
    file = project / "evo.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    before = sorted(project.rglob("*"))
    done = evo("run", "--pop", "2", "--gens", "2", "--out", "run", cwd=project)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(project.rglob("*")) == before


# A language model


def test_a_language_model_is_told_of_the_script(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", bounded("size < 1000"))
    path = tmp_path / "run"
    with MessagesServer() as server:
        env = environment(ANTHROPIC_BASE_URL=server.url)
        operators = ("--operators", "llm_mutation=3,llm_crossover=1")
        done = evo("run", "--pop", "2", "--gens", "4", *operators, "--out", path, cwd=project, env=env)
        assert done.returncode == 0, done.stderr
        requests = list(server.requests)
    assert requests
    for request in requests:
        system = json.dumps(request.body["system"])
        for expected in (
            "python run.py",
            "FACTOR = 10",
            "`prepare.py` is frozen",
            "Constraint: size < 1000",
            "score (points)",
        ):
            assert expected in system, expected
        everything = json.dumps(request.body).lower()
        for foreign in ("val_bpb", "bits per byte", "build_model", "train_tokens", "vocab"):
            assert foreign not in everything, foreign
    bred = [one for one in read("lineage", path) if one["operator"].startswith("llm_")]
    assert any(one["status"] == "ok" for one in bred)
    told_once(path, 8)


OWN_NAMES = {
    "evo.toml": CONFIG.replace('["run.py", "model/net.py"]', '"run.py"').replace(
        '"prepare.py"', '["trainer.py", "operators", "populations.py"]'
    ),
    "trainer.py": "def points(width: float) -> float:\n    return 10 - abs(width - 5)\n",
    "operators/__init__.py": "from operators.noise import noise\n",
    "operators/noise.py": "def noise(seed: int) -> float:\n    return 0.001 * (seed % 7)\n",
    "populations.py": "SCALE = 1.0\n",
    "run.py": """
        import os

        from operators import noise
        from populations import SCALE
        from trainer import points

        WIDTH = 2.0

        print(f"score: {SCALE * points(WIDTH) + noise(int(os.environ['EVO_SEED'])):.6f}")
        """,
}


def test_modules_of_a_project_may_be_called_as_packages_of_evo_are(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", OWN_NAMES)
    done = evo("run", "--pop", "4", "--gens", "2", "--out", tmp_path / "run", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "8 of 8 evaluations: 8 ok" in done.stdout


def test_events_are_written_as_they_happen_one_object_a_line(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", TWO_FILES)
    budget = ["--pop", "4", "--gens", "2"]
    done = evo("run", *budget, "--out", tmp_path / "run", "--events", "-", cwd=project)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    validator = Draft202012Validator(json.loads((ROOT / "docs" / "events.schema.json").read_text()))
    for line in lines:
        validator.validate(line)
    kinds = [line["event"] for line in lines]
    assert kinds.count("finished") == 8
    assert kinds.index("started") < kinds.index("finished") < kinds.index("new_best")
    assert kinds[-1] == "stopped"
    assert "8 of 8 evaluations" in done.stderr


def test_events_of_a_resumed_run_follow_those_of_its_beginning(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", TWO_FILES)
    log = tmp_path / "events.jsonl"
    run = tmp_path / "run"
    assert evo("run", "--pop", "4", "--gens", "1", "--out", run, "--events", log, cwd=project).returncode == 0
    assert evo("resume", run, "--gens", "2", "--events", log, cwd=project).returncode == 0
    events = [json.loads(line) for line in log.read_text().splitlines()]
    results = [one["result_number"] for one in events if one["event"] == "finished"]
    assert results == list(range(1, 9))


def test_a_run_goes_on_when_its_events_cannot_be_written(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", TWO_FILES)
    out = ["--out", tmp_path / "run"]
    done = evo("run", "--pop", "4", "--gens", "1", *out, "--events", "/dev/full", cwd=project)
    assert done.returncode == 0
    assert done.stderr.count("Events are no longer written to /dev/full") == 1
    assert "4 of 4 evaluations" in done.stdout


def test_events_need_a_place_before_anything_is_made(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", TWO_FILES)
    done = evo("run", "--out", tmp_path / "run", "--events", tmp_path / "no" / "folder", cwd=project)
    assert done.returncode == 2
    assert "--events must name a file that can be written" in done.stderr
    assert not (tmp_path / "run").exists()
