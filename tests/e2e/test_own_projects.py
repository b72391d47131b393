"""Projects in the style of public ones, from `evo init` to the branch with the result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import evo
from script_runs import write_files

SCIKIT_LEARN = {
    "prepare.py": """
        '''READ-ONLY. Data and evaluation.'''
        import os, random
        random.seed(int(os.environ.get("EVO_SEED", "0")))
        def evaluate(model):
            print(f"val_rmse: {abs(model.slope - 2.0) + random.gauss(0, 0.001):.6f}")
        """,
    "program.md": "Modify `train.py` only. `prepare.py` is read-only. Run `python train.py > run.log`.\n",
    "train.py": """
        from prepare import evaluate

        SLOPE = 0.5
        OFFSET = 3.0


        class Line:
            def __init__(self, slope):
                self.slope = slope

            def fit(self, rows):
                return self


        model = Line(slope=SLOPE)
        model.fit([OFFSET])
        results = evaluate(model)
        """,
}
NANOGPT = {
    "train.py": """
        import os, random, sys
        learning_rate = 0.5
        n_layer = 2
        for arg in sys.argv[1:]:
            if arg.endswith(".py"):
                exec(open(arg).read())
        random.seed(int(os.environ["EVO_SEED"]))
        iter_num = 0
        while iter_num < 3:
            loss = abs(learning_rate - 0.1) + 1 / (1 + iter_num) + random.gauss(0, 0.001)
            print(f"step {iter_num}: train loss {loss:.4f}, val loss {loss + 0.1:.4f}")
            iter_num += 1
        """,
    "config/small.py": "n_head = 6\n",
    "README.md": "```sh\npython train.py config/small.py\n```\n",
}
EVALUATOR = {
    "evaluate.py": """
        import importlib.util, os, random, sys
        spec = importlib.util.spec_from_file_location("candidate", sys.argv[1])
        candidate = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(candidate)
        random.seed(int(os.environ["EVO_SEED"]))
        print({"val_score": -abs(candidate.pack() - 3) + random.gauss(0, 0.001)})
        """,
    "initial_program.py": "RADIUS = 0.5\nSHIFT = 0.25\n\n\ndef pack():\n    return RADIUS * 5 + SHIFT\n",
    "README.md": "    python evaluate.py initial_program.py\n\nMaximize val_score.\n",
}

YAML = {
    "train.py": """
        import yaml
        settings = yaml.safe_load(open("config.yaml"))
        print(f"val_loss: {abs(settings['optimizer']['lr'] - 0.5) + settings['optimizer']['decay']:.6f}")
        """,
    "config.yaml": "# what train.py reads\noptimizer:\n  lr: 0.25     # a factor\n  decay: 0.5\n",
    "program.md": "Edit config.yaml only; train.py is read-only.\n",
}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]
    return subprocess.run(
        ["git", *identity, "-C", folder, *arguments], capture_output=True, encoding="utf-8", check=True
    ).stdout


@pytest.mark.parametrize(
    ("files", "genome", "metric"),
    [
        (SCIKIT_LEARN, "train.py", "val_rmse"),
        pytest.param(NANOGPT, "train.py", "val_loss", marks=pytest.mark.full),
        pytest.param(EVALUATOR, "initial_program.py", "val_score", marks=pytest.mark.full),
    ],
    ids=["scikit-learn", "nanoGPT", "evaluator"],
)
def test_from_init_to_a_branch(files: dict[str, str], genome: str, metric: str, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "project", files)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "begin")
    found = evo("init", "--json", cwd=folder)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["genome"] == [genome]
    done = evo("run", "--pop", "2", "--gens", "6", "--operators", "constants", "--out", "runs/a", cwd=folder)
    assert done.returncode == 0, done.stderr
    best = evo("best", "runs/a", cwd=folder)
    assert best.returncode == 0, best.stderr
    assert metric in best.stdout + best.stderr
    outputs = {name: evo(name, "runs/a", cwd=folder) for name in ("ablate", "apply", "report")}
    assert {name: one.returncode for name, one in outputs.items() if one.returncode} == {}, outputs
    branch = git(folder, "branch", "--list", "evo/*").split()[-1]
    assert git(folder, "diff", "--name-only", "HEAD", branch).split() == [genome]
    assert (folder / "runs" / "a" / "report.html").is_file()


def test_a_genome_in_yaml_from_init_to_a_branch(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "project", YAML)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "begin")
    assert evo("init", cwd=folder).returncode == 0
    text = (folder / "evo.toml").read_text(encoding="utf-8")
    (folder / "evo.toml").write_text(
        text.replace('kind = "script"', 'kind = "script"\nnoise = "none"'), encoding="utf-8"
    )
    done = evo("run", "--pop", "4", "--gens", "4", "--operators", "constants", "--out", "runs/a", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "changed       optimizer." in done.stdout
    source = evo("best", "runs/a", "--source", cwd=folder).stdout
    assert source.startswith("# what train.py reads\noptimizer:\n  lr: ")
    exported = evo("export", "runs/a", cwd=folder)
    assert (folder / exported.stdout.strip()).suffix == ".yaml"
    assert (folder / exported.stdout.strip()).read_text(encoding="utf-8") == source
    diff = evo("diff", "runs/a", "0", "best", cwd=folder).stdout
    assert diff.startswith("--- 0/config.yaml\n")
    assert "evo file" not in diff
    outputs = {name: evo(name, "runs/a", cwd=folder) for name in ("ablate", "apply", "report")}
    assert {name: one.returncode for name, one in outputs.items() if one.returncode} == {}, outputs
    branch = git(folder, "branch", "--list", "evo/*").split()[-1]
    assert git(folder, "show", f"{branch}:config.yaml") == source


def test_a_project_with_an_environment_of_its_own_and_metrics_in_a_table(tmp_path: Path) -> None:
    train = """
        import os
        from own_package import OFFSET
        RATE = 0.5
        os.makedirs("results", exist_ok=True)
        with open("results/history.csv", "w") as file:
            file.write("epoch,val_loss\\n")
            for epoch in range(3):
                file.write(f"{epoch},{abs(RATE - 0.3) + OFFSET:.4f}\\n")
        """
    folder = write_files(tmp_path / "project", {"train.py": train})
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    (packages,) = (folder / ".venv/lib").glob("python3*/site-packages")
    (packages / "own_package.py").write_text("OFFSET = 1.0\n", encoding="utf-8")
    found = evo("init", "--json", cwd=folder)
    assert found.returncode == 0, found.stderr
    data = json.loads(found.stdout)
    assert (data["command"], data["frozen"]) == ([".venv/bin/python", "train.py"], [])
    first = data["objectives"][0]
    assert (first["name"], first["json"], first["key"]) == ("val_loss", "results/history.csv", "val_loss")
    checked = evo("init", "--check", cwd=folder)
    assert "val_loss (self-reported): 1.2" in checked.stdout, checked.stderr
