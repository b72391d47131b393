"""What is found out about a project: layouts as people have them, forks of karpathy/autoresearch among them."""

import gc
import os
import subprocess
from pathlib import Path

import pytest
from project_files import AUTORESEARCH, TRAIN, run_plainly
from script_runs import write_files

from evo.project.examine import examine
from evo.project.found import Found
from evo.project.writing import program_text
from trainer.errors import ConfigError, GenomeError

SCRIPT = 'print(f"val_loss: {0.5:.3f}")\n'


def look(folder: Path, files: dict[str, str], **wishes: object) -> Found:
    return examine(write_files(folder / "project", files), home=folder / "home", **wishes)  # type: ignore[arg-type]


def frozen(found: Found) -> list[str]:
    return [one.name for one in found.frozen]


def objectives(found: Found) -> list[str]:
    return [one.name for one in found.objectives]


def question(folder: Path, files: dict[str, str], **wishes: object) -> str:
    found = look(folder, files, **wishes)
    assert found.question is not None
    assert "\n" not in found.question.text
    return found.question.text


def noted(found: Found, words: str) -> bool:
    return any(words in note for note in found.notes)


def test_autoresearch(tmp_path: Path) -> None:
    (tmp_path / "home" / ".cache" / "autoresearch").mkdir(parents=True)
    found = look(tmp_path, AUTORESEARCH)
    assert found.is_autoresearch
    assert found.genome == ("train.py",)
    assert found.command == ("python", "train.py")
    assert objectives(found) == ["val_bpb", "peak_vram_mb"]
    assert [one.direction for one in found.objectives] == ["minimize", "minimize"]
    assert found.objectives[0].pattern == r"^val_bpb:\s*(\S+)"
    assert [one.name for one in found.others] == ["training_seconds"]
    assert frozen(found) == ["prepare.py", "~/.cache/autoresearch"]
    assert found.fixed is not None
    assert (found.fixed.seconds, found.fixed.where) == (300.0, "TIME_BUDGET in prepare.py")
    assert found.program == "program.md"
    assert found.constants == ("DEPTH", "MATRIX_LR")
    assert noted(found, "Outside the project, ~/.cache/autoresearch")


def test_autoresearch_whose_data_is_not_made_yet(tmp_path: Path) -> None:
    found = look(tmp_path, AUTORESEARCH)
    assert found.frozen[-1].is_missing
    assert noted(found, "run python prepare.py first")


def test_a_fork_on_another_framework_that_keeps_checkpoints(tmp_path: Path) -> None:
    train = (
        TRAIN
        + """
    import json, os
    folder = os.path.join(os.path.expanduser("~"), ".cache", "autoresearch", "checkpoints")
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump({"val_bpb": val_bpb, "depth": DEPTH}, f)
    """
    )
    found = look(tmp_path, AUTORESEARCH | {"train.py": train})
    assert objectives(found) == ["val_bpb", "peak_vram_mb"]
    assert frozen(found) == ["prepare.py", "~/.cache/autoresearch"]


def test_a_fork_whose_cache_is_chosen_by_a_function(tmp_path: Path) -> None:
    prepare = """
        import os

        TIME_BUDGET = int(os.environ.get("AUTORESEARCH_SECONDS", "120"))

        def _default_cache():
            chosen = os.environ.get("AUTORESEARCH_CACHE")
            if chosen:
                return os.path.expanduser(chosen)
            legacy = os.path.join(os.path.expanduser("~"), ".cache", "autoresearch-win")
            local = os.environ.get("LOCALAPPDATA")
            return os.path.join(local, "autoresearch") if local else legacy

        CACHE = _default_cache()

        def evaluate_bpb(model):
            return 1.0
        """
    found = look(tmp_path, AUTORESEARCH | {"prepare.py": prepare})
    assert frozen(found) == ["prepare.py", "~/.cache/autoresearch-win"]
    assert found.fixed is not None
    assert found.fixed.seconds == 120.0


@pytest.mark.parametrize(
    "path",
    [
        'Path.home() / ".cache" / "trader" / "data"',
        'Path("~/.cache/trader/data").expanduser()',
        'Path(os.path.expanduser("~/.cache/trader")) / "data"',
        'os.path.expanduser(os.getenv("TRADER_DATA", "~/.cache/trader/data"))',
        'Path.home().joinpath(".cache", "trader", "data")',
    ],
)
def test_the_ways_to_name_a_cache(path: str, tmp_path: Path) -> None:
    prepare = f"import os\nfrom pathlib import Path\nDATA = {path}\nTIME_BUDGET = 60\ndef evaluate_bpb(m): ...\n"
    found = look(tmp_path, AUTORESEARCH | {"prepare.py": prepare})
    assert any(name in ("~/.cache/trader/data", "~/.cache/trader") for name in frozen(found))


def test_a_fork_with_a_score_that_only_its_text_explains(tmp_path: Path) -> None:
    files = {
        "train.py": """
            from prepare import evaluate
            m = evaluate()
            print("---")
            print(f"sharpe:           {m['sharpe']:.4f}")
            print(f"score:            {m['score']:.4f}")
            print(f"n_trades:         {m['n']}")
            """,
        "prepare.py": "def evaluate(): ...\n",
        "program.md": 'Get the lowest score.\n\n    grep "^score:\\|^val_pass:" run.log\n',
    }
    first = look(tmp_path, files).objectives[0]
    assert (first.name, first.direction) == ("score", "minimize")


def test_a_fork_whose_harness_prints_the_metric(tmp_path: Path) -> None:
    files = {
        "train.py": """
            from pathlib import Path
            from harness import save_and_evaluate
            folder = Path(__file__).parent / "data"
            print(f"Training time: {1.0:.1f}s")
            save_and_evaluate(None)
            """,
        "harness.py": """
            # Not modified by the agent.
            def save_and_evaluate(model):
                print(f"Eval time: {2.0:.1f}s")
                print(f"Eval AUC: {0.7:.4f}")
            """,
        "data/train.csv": "a,b\n",
        "program.md": 'Edit `train.py` only.\n\n`grep "^Eval AUC:" run.log`\n',
        "check.py": 'if __name__ == "__main__":\n    print(f"AUC: {0.1:.4f}")\n',
    }
    found = look(tmp_path, files)
    assert found.is_autoresearch
    assert (found.genome, found.command) == (("train.py",), ("python", "train.py"))
    assert objectives(found)[0] == "eval_auc"
    assert found.objectives[0].where == "harness.py:4"
    assert frozen(found) == ["harness.py", "data"]


def test_a_fork_that_evolves_a_model_run_by_another_file(tmp_path: Path) -> None:
    files = {
        "run.py": """
            import sys
            from prepare import load_data
            def main():
                from model import build_model
                print(f"val_rmse: {0.3:.6f}")
                print(f"val_r2:   {0.9:.6f}")
            if __name__ == "__main__":
                main()
            """,
        "model.py": "ALPHA = 1.0\ndef build_model():\n    return ALPHA\n",
        "prepare.py": 'RESULTS = "results.tsv"\ndef load_data():\n    return open("data/all.csv")\n',
        "data/all.csv": "x\n",
        "results.tsv": "x\n",
        "program.md": """
            1. You may **ONLY** modify `model.py`
            2. `prepare.py`, `run.py` and the data folder are **FROZEN**

            4. Run: python run.py "description of change"
            """,
    }
    found = look(tmp_path, files)
    assert (found.genome, found.command) == (("model.py",), ("python", "run.py", "description of change"))
    assert objectives(found) == ["val_rmse", "val_r2"]
    assert sorted(frozen(found)) == ["data/all.csv", "prepare.py", "run.py"]


def test_a_fork_whose_engine_loads_the_file_by_its_name(tmp_path: Path) -> None:
    files = {
        "strategy.py": '"""THIS IS THE ONLY FILE THE AGENT MODIFIES."""\nHORIZON = 20\ndef decide(prices): ...\n',
        "backtest.py": """
            import importlib
            if __name__ == "__main__":
                importlib.import_module("strategy").decide([])
                print(f"sharpe: {1.5:.3f}")
            """,
        "live.py": 'if __name__ == "__main__":\n    print("trading")\n',
    }
    found = look(tmp_path, files)
    assert (found.genome, found.command) == (("strategy.py",), ("python", "backtest.py"))
    assert frozen(found) == ["backtest.py"]


@pytest.mark.parametrize(
    "declared",
    [
        'parser.add_argument("--max-seconds", type=float, default=90)',
        'seconds: float = typer.Option(90, "-m", "--max-seconds")',
        'flags.DEFINE_float("max-seconds", 90, "of training")',
    ],
)
def test_its_own_environment_and_flags_are_in_the_command(tmp_path: Path, declared: str) -> None:
    train = f"""
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("-s", "--seed", type=int, default=0)
        {declared}
        print(f"val_loss: {{0.5:.3f}}")
        """
    found = look(tmp_path, {"train.py": train, ".venv/bin/python": ""})
    assert found.command == (".venv/bin/python", "train.py", "--seed", "{seed}", "--max-seconds", "{seconds}")
    assert found.frozen == ()  # an interpreter that lies elsewhere does not find its packages
    assert found.fixed is not None
    assert found.fixed.seconds == 90.0
    assert found.seed == "--seed"


def test_a_package_is_started_as_a_module(tmp_path: Path) -> None:
    files = {
        "src/app/__init__.py": "",
        "src/app/train.py": "from .data import load\nload()\n" + SCRIPT,
        "src/app/data.py": "def load(): ...\n",
    }
    found = look(tmp_path, files)
    assert found.command == ("python", "-m", "app.train")
    assert frozen(found) == ["src/app/data.py", "src/app/__init__.py"]


def test_what_a_program_reads_is_frozen_and_what_it_writes_is_not(tmp_path: Path) -> None:
    train = """
        import numpy as np
        from lib.model import Net
        data = np.load("train.npz")
        config = open("./conf/base.yaml").read()
        key = open(".env").read()
        for name in ("runs", "outputs", "train.py", "/etc/passwd", "../other"):
            pass
        with open("log.txt", "w") as file:
            file.write("x")
        np.save("predictions.npy", 1)
        np.load("missing.npz")
        print(f"loss: {1:.2f}")
        """
    files = dict.fromkeys(
        ["train.npz", "conf/base.yaml", ".env", "log.txt", "predictions.npy", "outputs/x", "runs/y"], "x"
    )
    files |= {"train.py": train, "lib/model.py": "from lib import layers\n"}
    found = look(tmp_path, files | {"lib/layers.py": "", "lib/unused.py": ""})
    assert frozen(found) == ["lib/model.py", "lib/layers.py", "train.npz", "conf/base.yaml"]
    assert any("missing.npz" in note for note in found.notes)


def test_a_trusted_scorer(tmp_path: Path) -> None:
    files = {
        "train.py": 'import numpy as np\nnp.save("predictions.npy", np.load("test.npz"))\nprint("done")\n',
        "score.py": """
            import os
            import numpy as np
            labels = np.load("labels.npz")
            left = os.environ["EVO_ARTIFACTS"]
            print(f"accuracy: {0.5:.4f}")
            """,
        "test.npz": "",
        "labels.npz": "",
    }
    found = look(tmp_path, files)
    assert found.score == ("python", "score.py")
    assert found.held_out == ("labels.npz",)
    assert objectives(found) == ["accuracy"]
    assert frozen(found) == ["test.npz", "score.py"]


def test_held_out_files_are_those_that_nothing_else_reads(tmp_path: Path) -> None:
    score = """
        import json, os
        labels = open("data/labels.csv"), open("answers.csv"), os.environ["EVO_ARTIFACTS"]
        json.dump({"accuracy": float(1)}, open("scores.json", "w"))
        if labels:
            print("done")
        """
    files = {"train.py": "import os\nos.listdir('data')\nprint('done')\n", "score.py": score}
    found = look(tmp_path, files | dict.fromkeys(["data/labels.csv", "answers.csv", "scores.json"], "x"))
    assert frozen(found) == ["data", "score.py"]
    assert found.held_out == ("answers.csv",)
    assert found.objectives[0].json_file == "scores.json"


def test_the_built_in_task(tmp_path: Path) -> None:
    found = look(tmp_path, {"mine.py": "def build_model(task): ...\ndef train(model, task): ...\n"})
    assert found.is_language_model
    assert found.genome == ("mine.py",)


def test_the_arguments_of_the_documentation_are_in_the_command(tmp_path: Path) -> None:
    found = look(tmp_path, {"train.py": SCRIPT, "README.md": "    python3 train.py --remove-h --size 3  # small\n"})
    assert found.command == ("python", "train.py", "--remove-h", "--size", "3")


def test_a_word_that_a_program_takes_by_its_place_is_in_the_command(tmp_path: Path) -> None:
    flags = "parser.add_argument('game')\nparser.add_argument('--seed_start', type=int, default=1)\n"
    source = f"import argparse\nparser = argparse.ArgumentParser()\n{flags}args = parser.parse_args()\n{SCRIPT}"
    found = look(tmp_path, {"train.py": source, "README.md": "    python train.py swingup -n 8\n"})
    assert found.command == ("python", "train.py", "swingup", "-n", "8", "--seed_start", "{seed}")


def test_arguments_that_only_a_person_can_fill_in_are_noted(tmp_path: Path) -> None:
    found = look(tmp_path, {"train.py": SCRIPT, "README.md": "    python3 train.py --data path/to/data --n <N>\n"})
    assert found.command == ("python", "train.py")
    assert noted(found, "with arguments of your choice")


def test_a_launcher_over_several_devices_is_noted(tmp_path: Path) -> None:
    found = look(tmp_path, {"train.py": SCRIPT, "README.md": "    torchrun --standalone --nproc_per_node=4 train.py\n"})
    assert found.processes == 4
    assert found.command == ("python", "train.py")


def test_an_untracked_genome_is_noted(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", {"train.py": SCRIPT})
    subprocess.run(["git", "init", "-q", project], check=True)
    assert noted(examine(project), "not tracked by git")
    subprocess.run(["git", "-C", project, "add", "train.py"], check=True)
    assert not noted(examine(project), "not tracked by git")


@pytest.mark.parametrize(
    ("text", "genome"),
    [
        ("`net.py` and `train.py` are what you tune; `data.py` is fixed.", ("train.py", "net.py")),
        ("Only `net.py` may change.", ("net.py",)),
        ("You may change `net.py` and `train.py`.", ("train.py",)),
        ("You may change `net.py` and `train.py`, nothing else.", ("train.py", "net.py")),
    ],
)
def test_several_files_that_alone_may_change_evolve_together(
    text: str, genome: tuple[str, ...], tmp_path: Path
) -> None:
    files = {"train.py": "import net, data\n" + SCRIPT, "net.py": "WIDTH = 3\n", "data.py": "N = 3\n"}
    assert look(tmp_path, {**files, "README.md": text}).genome == genome


def test_files_that_may_change_evolve_with_those_that_the_same_program_uses(tmp_path: Path) -> None:
    files = {
        "run.py": "import net, features\n" + SCRIPT,
        "look.py": "import plots\nif __name__ == '__main__':\n    print('done')\n",
        "features.py": "KEPT = 3\n",
        "net.py": "WIDTH = 3\n",
        "plots.py": "",
        "program.md": "".join(f"- `{name}.py`: **you modify this.**\n" for name in ("features", "net", "plots")),
    }
    found = look(tmp_path, files)
    assert (found.genome, found.command[-1]) == (("features.py", "net.py"), "run.py")


def test_several_files_can_be_named(tmp_path: Path) -> None:
    files = {"train.py": "import net\n" + SCRIPT, "net.py": "WIDTH = 3\n"}
    found = look(tmp_path, files, genome=["train.py", "net.py"])
    assert found.genome == ("train.py", "net.py")
    assert found.constants == ("WIDTH",)
    assert frozen(found) == []


def test_a_named_objective_comes_first(tmp_path: Path) -> None:
    files = {"train.py": 'print(f"val_loss: {1:.2f} val_acc: {2:.2f}")\n'}
    assert objectives(look(tmp_path, files)) == ["val_loss", "val_acc"]
    assert objectives(look(tmp_path, files, metric="val_acc")) == ["val_acc", "val_loss"]


def test_a_metric_that_only_a_text_names(tmp_path: Path) -> None:
    train = 'for name, value in {"f1": 0.5}.items():\n    print(f"{name}: {value}")\n'
    (metric,) = look(tmp_path, {"train.py": train, "README.md": 'grep "^f1:" run.log\n'}).objectives
    assert (metric.pattern, metric.take) == (r"^f1:\s*(\S+)", "last")


def test_a_guess_is_asked_or_noted(tmp_path: Path) -> None:
    files = {"main.py": 'print(f"chi: {0.5:.3f}")\n'}
    question = look(tmp_path, files).question
    assert question is not None
    assert question.text.endswith("Answer: evo init --metric chi:max, or chi:min")
    found = look(tmp_path, files, metric="chi")
    assert found.objectives[0].is_guessed
    assert noted(found, "Lower chi is better: this is a guess")


def test_what_is_logged_is_read(tmp_path: Path) -> None:
    source = "import logging\nlogging.basicConfig(level=logging.INFO)\nlogging.info('val_loss: %.4f', 1.0)\n"
    found = look(tmp_path, {"train.py": source + 'if __name__ == "__main__":\n    pass\n'})
    assert found.objectives[0].pattern == r"\bval_loss:\s*(\S+)"


@pytest.mark.parametrize(
    ("files", "wishes", "words"),
    [
        ({}, {}, ["no Python file", "--from"]),
        ({"a.py": SCRIPT, "b.py": SCRIPT}, {}, ["a.py (prints val_loss), b.py (prints val_loss)", "--genome a.py"]),
        (
            {"a.py": "print(f'py_torch: {1.5}')\n", "b.py": "print(f'time: {1.5}')\n", "c.py": SCRIPT},
            {},
            ["c.py (prints val_loss), b.py (prints time), a.py (prints py_torch)", "--genome c.py"],
        ),
        ({"a/train.py": SCRIPT, "b/train.py": SCRIPT}, {}, ["a/train.py (prints val_loss), b/train.py", "--genome"]),
        ({"train.py": 'if __name__ == "__main__":\n    print("done")\n'}, {}, ["train.py", "val_loss", "print("]),
        ({"train.py": "def f(): ...\n"}, {}, ["train.py", "__main__"]),
        (
            {
                **dict.fromkeys(("a.py", "old/b.py"), "# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\n"),
                "c.py": SCRIPT,
            },
            {},
            ["a.py (marks what may evolve), old/b.py (marks what may evolve). Answer"],
        ),
        ({"train.py": "def f(:\n", "a.py": SCRIPT}, {}, ["train.py", "cannot be read as Python"]),
        ({"train.py": 'print(f"chi: {1:.1f}")\nprint(f"psi: {1:.1f}")\n'}, {}, ["chi, psi", "--metric chi"]),
        ({"train.py": 'print(f"chosen: {best}")\n'}, {}, ["chosen", "--metric"]),
        (
            {"kernel.py": "def f(): ...\n", "a.py": "import kernel\n" + SCRIPT, "b.py": "import kernel\n" + SCRIPT},
            {"genome": ["kernel.py"]},
            ["kernel.py", "a.py, b.py", "program.md"],
        ),
        (
            {
                "index.go": "package main\n",
                "search.go": "package main\n",
                "topics.txt": "1\n",
                "grid.py": SCRIPT,
                "program.md": "Optimize the strategy in:\n\n- `index.go`\n- `search.go`\n\n"
                "It is judged on the topics in:\n\n- `topics.txt`\n",
            },
            {},
            ["index.go (may change), search.go (may change). Answer"],
        ),
    ],
)
def test_what_is_not_clear_is_said(
    files: dict[str, str], wishes: dict[str, object], words: list[str], tmp_path: Path
) -> None:
    message = question(tmp_path, files, **wishes)
    assert [word for word in words if word not in message] == [], message


def test_what_cannot_be_read_is_not_taken_for_absent(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    path = tmp_path / "project/train.py"
    path.symlink_to("nowhere.py")
    assert "train.py cannot be read as Python" in question(tmp_path, {})
    path.unlink()
    os.mkfifo(path)
    assert "it is no ordinary file" in question(tmp_path, {})
    path.unlink()
    path.touch()
    os.truncate(path, 3_000_000)
    assert "it has 3,000,000 bytes" in question(tmp_path, {})


@pytest.mark.parametrize(
    ("name", "words"),
    [("../out.py", "must be in"), ("none.py", "no file"), ("bad.py", "Python")],
)
def test_a_named_genome_is_a_python_file_of_the_project(name: str, words: str, tmp_path: Path) -> None:
    files = {"train.py": SCRIPT, "notes.md": "x", "bad.py": "def (", "../out.py": SCRIPT}
    with pytest.raises(GenomeError, match=words):
        look(tmp_path, files, genome=[name])


def test_nothing_of_the_project_is_run(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", AUTORESEARCH)
    for name in ("prepare.py", "train.py"):
        path = project / name
        path.write_text(f"from pathlib import Path\nPath(__file__).with_name('ran').touch()\n{path.read_text()}")
    examine(project)
    assert sorted(path.name for path in project.iterdir()) == ["prepare.py", "program.md", "train.py"]
    assert gc.isenabled()


def test_it_is_a_folder_that_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Expected the folder"):
        examine(tmp_path / "nowhere")


def test_a_flag_that_the_command_gives_is_no_constant(tmp_path: Path) -> None:
    source = (
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float, default=0.1)\n"
        "parser.add_argument('--width', type=int, default=4)\nargs = parser.parse_args()\n"
        "print(f'val_loss: {args.lr * args.width}')\n"
    )
    found = look(tmp_path, {"train.py": source, "README.md": "Run `python train.py --lr 0.5`.\n"})
    assert found.constants == ("--width",)
    assert any("'--lr'" in one.name for one in found.protect)
    assert not any("'--width'" in one.name for one in found.protect)


def test_a_constant_that_the_gate_refuses_to_change_is_none(tmp_path: Path) -> None:
    train = """
        RATE = 0.1
        REPEATS, SIZE = 3, 5
        start = begin()
        start.show()
        score = cross_validated(Forest(trees=10, rate=RATE), repeats=REPEATS)
        print("cv_score:", score)
        """
    assert look(tmp_path, {"train.py": train}).constants == ("RATE",)
    alone = look(tmp_path / "alone", {"train.py": train.replace("RATE = 0.1", "RATE = rate()")})
    assert alone.constants == ()
    assert noted(alone, "All constants are protected")


def test_a_program_without_constants_is_told_of_files_that_have_some(tmp_path: Path) -> None:
    program = "import solver\nSETTINGS = open('settings.yaml').read()\nprint('score:', solver.solve(SETTINGS))\n"
    program += "MORE = open('config.json').read()\n"
    settings = {"settings.yaml": "rate: 2\n", "config.json": '{"lr": 0.1}'}
    found = look(
        tmp_path, {"main.py": program, "solver.py": "STEP = 0.3\ndef solve(x):\n    return STEP\n", **settings}
    )
    assert found.constants == ()
    assert noted(found, "solver.py, which it uses, has 1: to evolve that, evo init --genome solver.py.")
    assert noted(found, "settings.yaml, which it uses, has 1: to evolve that, evo init --genome settings.yaml.")
    assert noted(found, "config.json, which it uses, has 1: to evolve that, evo init --genome config.json.")


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"measure.sh": "#!/bin/bash\ncc -O2 -o fast kernel.c\n./fast\n"}, ("bash", "measure.sh")),
        ({"Makefile": "fast: kernel.c\n\tcc -O2 -o fast kernel.c\nbench: fast\n\t./fast\n"}, ("make", "-s", "bench")),
        ({"Makefile": "F = -O2\nfast: kernel.c\n\t$(CC) $F -o $@ $<\nrun: fast\n\t./fast\n"}, ("make", "-s", "run")),
    ],
)
def test_a_shell_script_or_a_makefile_measures_a_compiled_program(
    tmp_path: Path, files: dict[str, str], command: tuple[str, ...]
) -> None:
    found = look(tmp_path, {"kernel.c": "int main(void) { return 0; }\n", **files}, metric="ms=ms (.*)")
    assert (found.genome, found.command) == (("kernel.c",), command)
    assert frozen(found) == list(files)


def test_a_compiled_program_that_nothing_measures_is_asked_about(tmp_path: Path) -> None:
    asked = question(tmp_path, {"kernel.c": "int main(void) { return 0; }\n"}, genome=["kernel.c"])
    assert asked.endswith("evo init --genome kernel.c --command COMMAND")
    assert "python" not in asked


def test_instructions_that_evo_drafted_say_nothing(tmp_path: Path) -> None:
    files = {"train.py": SCRIPT}
    first = look(tmp_path, files)
    second = look(tmp_path, {**files, "program.md": program_text(first)})
    assert second == first


def test_the_file_that_is_to_be_improved_evolves(tmp_path: Path) -> None:
    files = {
        "run.py": "import algos\nprint('Total value:', algos.solve(3))\n",
        "algos.py": "def solve(x):\n    return x\n",
        "AGENTS.md": 'Improve `algos.py`. Evaluate with `python run.py`. Maximize "Total value".\n',
    }
    found = look(tmp_path, files)
    assert found.genome == ("algos.py",)
    assert found.command == ("python", "run.py")
    assert [(one.name, one.direction) for one in found.objectives] == [("total_value", "maximize")]


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"src/main.rs": "fn main() {}\n", "README.md": "    cargo run --release\n"}, ("cargo", "run", "--release")),
        ({"bench.js": "console.log(1)\n", "README.md": "Try `node bench.js 3`.\n"}, ("node", "bench.js", "3")),
        (
            {"src/main.rs": "fn main() {}\n", "justfile": "run *args:\n    cargo run -r --quiet -- {{args}}\n"},
            ("cargo", "run", "-r", "--quiet"),
        ),
        (
            {"solve.jl": "println(1)\n", "run.sh": "julia --threads 1 solve.jl\n"},
            ("julia", "--threads", "1", "solve.jl"),
        ),
    ],
)
def test_a_documented_command_of_another_language(
    tmp_path: Path, files: dict[str, str], command: tuple[str, ...]
) -> None:
    found = look(tmp_path, files, metric="ms=ms (.*)")
    assert found.genome == (next(iter(files)),)
    assert found.command == command
    assert noted(found, "holds its own measurement")


def test_a_tool_in_python_beside_a_program_in_another_language_is_asked_about(tmp_path: Path) -> None:
    sources = {f"src/Part{number}.java": "class Part {}\n" for number in range(6)}
    tool = "import time\nprint(f'Elapsed time: {time.time():.1f}')\n"
    write_files(tmp_path, {**sources, "tools/make_rows.py": tool, "README.md": "    python tools/make_rows.py\n"})
    question = examine(tmp_path).question
    assert question is not None
    assert question.key == "genome"
    assert "Java" in question.text
    assert "evo init --genome tools/make_rows.py" in question.text


def test_a_documented_program_measures_what_it_loads(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "bench.js": "const { area } = require('./solver');\nconsole.log(`coverage: ${area()}`);\n",
            "solver.js": "module.exports = { area: () => 0.5 };\n",
            "README.md": "Improve `solver.js`, only this file. Benchmark: `node bench.js`.\n",
        },
    )
    found = examine(tmp_path)
    assert (found.genome, found.command) == (("solver.js",), ("node", "bench.js"))
    assert [one.name for one in found.frozen] == ["bench.js"]


def test_settings_that_evolve_are_measured_by_the_program_that_names_their_folder(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "train.py": "FOLDER = 'conf'\nprint(f'val_loss: {len(FOLDER):.3f}')\n",
            "conf/config.yaml": "seed: 1\n",
            "conf/optim/adam.yaml": "lr: 0.1\n",
            "program.md": "Edit only `conf/optim/adam.yaml`.\n",
        },
    )
    found = examine(tmp_path)
    assert (found.genome, found.command[1:]) == (("conf/optim/adam.yaml",), ("train.py",))
    assert {one.name for one in found.frozen} == {"train.py", "conf/config.yaml"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("energy", "Minimise the final energy.\n"),
        ("loss", "The target is the final-state loss.\n\n    grep '^final loss:' run.log\n"),
        ("metric", "The metric is the final metric, lower is better.\n"),
    ],
)
def test_the_longer_name_is_meant_where_the_text_says_it(name: str, text: str, tmp_path: Path) -> None:
    source = f"A = 1\nfor n in range(3):\n    print(f'{name}: {{A:.2f}}')\nprint(f'final {name}: {{A:.2f}}')\n"
    write_files(tmp_path, {"train.py": source, "README.md": text})
    assert examine(tmp_path).objectives[0].name == f"final_{name}"


def test_a_comment_behind_code_says_nothing_of_the_file(tmp_path: Path) -> None:
    source = "import math\n\n# change the distance to that travelled only.\nSCALE = 2.0\n"
    files = {"train.py": "import wrap\nprint(f'loss: {wrap.SCALE:.2f}')\n", "wrap.py": source, "README.md": "Hello.\n"}
    assert examine(write_files(tmp_path, files)).genome == ("train.py",)


def test_what_only_compiles_does_not_measure(tmp_path: Path) -> None:
    build = "gcc -O3 -o run run.c -lm"
    export = "import argparse\nargparse.ArgumentParser().parse_args()\nprint('exported')\n"
    write_files(
        tmp_path,
        {
            "run.c": "int main() {}\n",
            "Makefile": f"run: run.c\n\t{build}\n",
            "README.md": f"```\n{build}\n./run\n```\n",
        },
    )
    (tmp_path / "export.py").write_text(export, encoding="utf-8")
    question = examine(tmp_path, genome=["run.c"]).question
    assert question is not None
    assert question.key == "command"
    assert f"sh -c '{build} && ./PROGRAM'" in question.text


def test_defaults_of_helpers_and_keys_of_tables_are_no_tunable_part(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "train.py": "from helpers import TOKENS, save\nsave()\nprint(f'val_loss: {len(TOKENS) / 7:.3f}')\n",
            "helpers.py": "TOKENS = {'<|a|>': 7, '<|b|>': 8, '<|c|>': 9}\ndef save(rows=8, padding=2, fill=0.5): ...\n",
        },
    )
    assert examine(tmp_path).genome == ("train.py",)


def test_a_folder_above_the_program_is_frozen(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "src/train.py": "LR = 0.1\nCONFIGS = '../configs'\nprint(f'val_loss: {LR:.3f}')\n",
            "configs/train.yaml": "lr: 0.1\n",
        },
    )
    assert "configs" in [one.name for one in examine(tmp_path).frozen]


def test_an_aim_goes_before_an_objective_that_a_step_only_looks_for(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "train.py": "A = 1\nprint(f'sharpe: {A:.2f}')\nprint(f'min_pnl: {A:.2f}')\n",
            "program.md": "Edit train.py.\n\n6. **A legacy Sharpe objective**: stop.\n\nMaximize `min_pnl`.\n",
        },
    )
    assert examine(tmp_path).objectives[0].name == "min_pnl"


def test_files_that_could_evolve_are_ranked(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "a.py": "A = 1\nprint(f'resumed: {A!r}')\nprint(f'val_loss: {A:.2f}')\n",
            "b.py": "B = 1\nprint(f'val_loss: {B:.2f}')\n",
            "b_test.py": "import b\nprint(f'val_loss: {b.B:.2f}')\n",
            "README.md": "    python b.py\n",
        },
    )
    question = examine(tmp_path).question
    assert question is not None
    assert question.options == (("b.py", "prints val_loss"), ("a.py", "prints val_loss"))


def test_programs_that_are_called_tests_are_found(tmp_path: Path) -> None:
    program = "from model import f\n\nLR = 0.1\nprint(f'val_loss: {f(LR):.2f}')\n"
    test = "import pytest\n\nprint('loss: 0.5')\n"
    found = look(tmp_path, {"copy_test.py": program, "model.py": "def f(x): return x\n", "model_test.py": test})
    assert found.genome == ("copy_test.py",)


def test_all_that_stars_import_is_found(tmp_path: Path) -> None:
    package = {"tools/__init__.py": "from .a import *\nfrom .b import *\n", "tools/b.py": "def g(): return 2\n"}
    evaluation = "from tools import *\n\ndef measure(lr):\n    return g() * lr\n"
    train = "from evaluation import *\n\nLR = 0.1\nprint(f'val_loss: {measure(LR):.2f}')\n"
    files = {**package, "tools/a.py": "def f(): return 1\n", "evaluation.py": evaluation, "train.py": train}
    found = look(tmp_path, files, genome=["train.py"])
    assert {one.name for one in found.frozen} == {*files} - {"train.py"}


def test_a_program_that_reads_as_seen_from_its_folder_starts_there(tmp_path: Path) -> None:
    program = (
        "import argparse\nLR = 0.1\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--seed', type=int, default=1)\nargs = parser.parse_args()\n"
        "open('../data/a.csv')\nprint(f'val_loss: {LR:.2f}')\n"
    )
    files = {"src/train.py": program, "src/__init__.py": "", "data/a.csv": "1"}
    found = look(tmp_path, {**files, "README.md": "    cd src && python train.py\n"})
    assert found.command == ("sh", "-c", "cd src && python train.py --seed '{seed}'")
    assert frozen(found) == ["data/a.csv"]
    as_module = look(tmp_path / "other", {**files, "README.md": "    python -m src.train\n"})
    assert noted(
        as_module, "../data/a.csv is there as seen from src. Where the program starts there: evo init --command"
    )


def test_texts_that_could_be_no_path_are_none(tmp_path: Path) -> None:
    long = 300 * "a"
    program = f"LR = 0.1\nSALT, HUB = '{long}/x', '{long}/{long}'\nprint(f'val_loss: {{LR:.2f}}')\n"
    files = {"src/train.py": f"import {long}\n{program}", "Makefile": f"all: {long}.txt\n"}
    found = look(tmp_path, {**files, "README.md": f"    python src/train.py --data {long}.txt\n"})
    assert found.question is None, found.question


def test_flags_that_the_command_gives_are_said_to_stay(tmp_path: Path) -> None:
    source = """
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("-lr", type=float, default=0.1)
        parser.add_argument("-w", "--width", type=int, default=64)
        parser.add_argument("-b", "--batch", type=int, default=32)
        args = parser.parse_args()
        print(f"val_loss: {args.lr * args.width:.3f}")
        """
    found = look(tmp_path, {"train.py": source, "README.md": "    python train.py -lr 0.3 -b 64\n"})
    assert found.constants == ("--width",)
    assert noted(found, "The command fixes -lr, --batch.")


@pytest.mark.parametrize("condition", ["args.resume", "resume_from is not None", 'init_from == "resume"'])
def test_what_only_a_resumed_run_prints_decides_nothing(condition: str, tmp_path: Path) -> None:
    source = f"if {condition}:\n    print(f'best acc: {{best:.2f}}')\nprint(f'val_loss: {{x:.3f}}')\n"
    found = look(tmp_path, {"train.py": source})
    assert [one.name for one in (*found.objectives, *found.others)] == ["val_loss"]


def test_a_notebook_has_to_become_a_script(tmp_path: Path) -> None:
    text = question(tmp_path, {"part one/a.ipynb": "{}"})
    assert "jupyter nbconvert --to script 'part one/a.ipynb'`" in text


def test_a_program_that_is_its_own_evaluation_is_told_so(tmp_path: Path) -> None:
    source = "x = 5.0\nfor step in range(3):\n    x += 0.1\nprint('loss:', x * x)\n"
    assert noted(look(tmp_path, {"train.py": source}), "Nearly everything is protected")
    assert not noted(look(tmp_path / "other", {"train.py": TRAIN}), "Nearly everything is protected")


@pytest.mark.parametrize(
    ("argument", "command"),
    [
        ('"--program_path", default="x.py"', ("python", "evaluate.py", "--program_path", "initial.py")),
        ('"candidate"', ("python", "evaluate.py", "initial.py")),
        ('"--verbose"', ("python", "evaluate.py", "initial.py")),
    ],
)
def test_an_evaluator_is_given_the_file_as_it_takes_it(tmp_path: Path, argument: str, command: tuple[str, ...]) -> None:
    source = (
        "import argparse, runpy\nparser = argparse.ArgumentParser()\n"
        f"parser.add_argument({argument})\nargs = parser.parse_args()\n"
        "found = runpy.run_path(vars(args).popitem()[1])\nprint('score:', found['score']())\n"
    )
    found = look(tmp_path, {"initial.py": "def score():\n    return 3\n", "evaluate.py": source})
    assert (found.genome, found.command) == (("initial.py",), command)


@pytest.mark.parametrize(
    ("evaluate", "others", "command", "metric"),
    [
        (
            "def evaluate(program_path):\n    found = {}\n    found['combined_score'] = 1.0\n    return found\n",
            {"best_program.py": "# EVOLVE-BLOCK-START\nx = 2\n# EVOLVE-BLOCK-END\n"},
            "found = evaluator.evaluate",
            "combined_score",
        ),
        (
            "def evaluate(module):\n    return {'accuracy': 0.5, 'combined_score': 0.5, 'error': 'none'}\n",
            {
                "old/judge.py": "def evaluate(program_path):\n    return {'score': 1}\n",
                "README.md": "Maximize accuracy.\n",
            },
            "found = evaluator.evaluate",
            "combined_score",
        ),
        (
            """
            import argparse
            from shinka.core import run_eval
            def main(path):
                print(f"Evaluating: {path}")
                for key, value in measure(path).items():
                    print(f"  {key}: {value}")
            def measure(path):
                return {"combined_score": len(run_eval(path))}
            if __name__ == "__main__":
                parser = argparse.ArgumentParser()
                parser.add_argument("--program_path", default="initial.py")
                main(parser.parse_args().program_path)
            """,
            {"run_evo.py": "from shinka.core import EvolutionRunner\nEvolutionRunner('initial_program.py').run()\n"},
            "evaluator.py --program_path initial_program.py",
            "combined_score",
        ),
    ],
)
def test_what_another_search_starts_from_evolves_and_its_evaluator_measures(
    evaluate: str, others: dict[str, str], command: str, metric: str, tmp_path: Path
) -> None:
    program = "# EVOLVE-BLOCK-START\ndef play():\n    return 1\n# EVOLVE-BLOCK-END\nprint('reached:', play())\n"
    found = look(tmp_path, {"initial_program.py": program, "evaluator.py": evaluate, **others})
    assert found.genome == ("initial_program.py",)
    assert command in " ".join(found.command)
    assert objectives(found)[0] == metric


def test_what_all_folds_gave_decides_and_no_single_fold(tmp_path: Path) -> None:
    train = (
        "DEPTH = 3\n"
        'print("Fold 1 MAE", 0.3 * DEPTH)\n'
        'print("Fold 2 MAE", 0.4 * DEPTH)\n'
        'print(f"Mean MAE {0.35 * DEPTH:.4f} +/- 0.05")\n'
    )
    assert look(tmp_path, {"train.py": train}).objectives[0].name == "mean_mae"


def test_a_question_tells_why_the_first_run_failed(tmp_path: Path) -> None:
    train = "print('drift:', 0.5)\nimport is_not_there\n"
    assert "its first run failed: " in question(tmp_path, {"train.py": train}, run=run_plainly)


def test_a_script_made_from_a_notebook_is_told_so(tmp_path: Path) -> None:
    train = "# In[1]:\nget_ipython().run_line_magic('matplotlib', 'inline')\nRATE = 0.5\nprint('val acc', RATE)\n"
    found = look(tmp_path, {"train.py": train}, run=run_plainly)
    assert found.objectives[0].name == "val_acc"
    assert noted(found, "delete the lines with get_ipython")


def test_settings_that_the_command_replaces_stay(tmp_path: Path) -> None:
    files = {
        "README.md": "Run `python train.py train.lr=0.2`.\n",
        "conf.yaml": "train:\n  lr: 0.1\n  steps: 20\n  decay: 0.5\nwidth: 8\n",
        "train.py": "import yaml\ncfg = yaml.safe_load(open('conf.yaml'))\nprint('val_loss:', fit(cfg))\n",
    }
    found = look(tmp_path, files)
    assert found.genome == ("conf.yaml",)
    assert found.constants == ("train.steps", "train.decay", "width")
    assert [(one.name, one.reason) for one in found.protect] == [("lr: 0.1", "the command gives it")]


@pytest.mark.parametrize(
    ("arguments", "is_noted"),
    [
        ("--data-path digits.npz -q 5", True),
        ("--vocab_file=digits.npz", True),
        ("--data-path there.npz", False),
        ("--save-path digits.npz", False),
        ("--lr 0.5 --path runs", False),
    ],
)
def test_a_file_of_the_command_that_is_not_there_is_named(arguments: str, is_noted: bool, tmp_path: Path) -> None:
    files = {"README.md": f"Run `python train.py {arguments}`.\n", "train.py": TRAIN, "there.npz": ""}
    assert noted(look(tmp_path, files), "digits.npz, which does not exist yet") is is_noted


@pytest.mark.parametrize(
    "path",
    [
        "Path(__file__).parent / 'sets' / 'digits.npz'",
        "os.path.join(os.path.dirname(os.path.abspath(__file__)), 'sets', 'digits.npz')",
        "f'{HERE}/sets/digits.npz'",
    ],
)
@pytest.mark.parametrize("is_there", [False, True])
def test_a_file_beside_the_program_is_found_or_named(path: str, is_there: bool, tmp_path: Path) -> None:
    head = "import os\nfrom pathlib import Path\nHERE = Path(__file__).parent\nK = 1\n"
    source = f"{head}print('val_loss:', K * len(list(open({path}))))\n"
    found = look(tmp_path, {"train.py": source} | ({"sets/digits.npz": ""} if is_there else {}))
    assert noted(found, "sets/digits.npz, which does not exist yet") is not is_there
    assert any(name.startswith("sets") for name in frozen(found)) is is_there


@pytest.mark.parametrize(
    ("files", "genome"),
    [
        (
            {
                "app.py": "import argparse, model\nparser = argparse.ArgumentParser()\n"
                "parser.add_argument('--horizon', type=int, default=12)\nargs = parser.parse_args()\n" + SCRIPT,
                "model.py": "ALPHA = 0.5\nBETA = 0.1\nGAMMA = 0.2\n",
                "README.md": "    python app.py --horizon 12\n",
            },
            "model.py",
        ),
        (
            {
                "train.py": "import sys, yaml\nsettings = yaml.safe_load(open(sys.argv[1]))\n" + SCRIPT,
                "best.yaml": "lr: 0.1\nwidth: 8\ndepth: 2\n",
                "README.md": "    python train.py best.yaml\n",
            },
            "best.yaml",
        ),
    ],
)
def test_what_the_documented_command_gives_is_no_constant_of_the_program_that_only_measures(
    tmp_path: Path, files: dict[str, str], genome: str
) -> None:
    assert look(tmp_path, files).genome == (genome,)


def test_a_compiled_program_that_measures_itself_is_noted(tmp_path: Path) -> None:
    printing = 'int main(void) { printf("cost: %d\\n", 3); return 0; }\n'
    makefile = {"Makefile": "run: main.c\n\tcc -o fast main.c && ./fast\n"}
    alone = look(tmp_path / "alone", {"main.c": printing, **makefile}, metric="cost")
    assert alone.shared == ("main.c",)
    assert noted(alone, "main.c reports cost itself")
    other = look(tmp_path, {"k.c": "", "main.c": printing, **makefile}, genome=["k.c"], command="make", metric="cost")
    assert not noted(other, "itself")
