"""The metrics that a program reports: the expressions found in its source read the values that it prints."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest
from script_runs import write_files

from evo.project.found import Metric
from evo.project.modules import Project
from evo.project.printed import metrics_of


def found_in(folder: Path, **files: str) -> dict[str, Metric]:
    project = Project(write_files(folder, {f"{name}.py": text for name, text in files.items()}))
    entry = project.module("train.py")
    assert entry is not None
    return {metric.name: metric for metric in metrics_of(project, entry)}


def values(metric: Metric, output: str) -> list[str]:
    assert metric.pattern is not None
    return [match[1] for line in output.splitlines() if (match := re.search(metric.pattern, line))]


@pytest.mark.parametrize(
    ("statement", "name", "value"),
    [
        ('print(f"val_bpb:          {v:.6f}")', "val_bpb", "0.512340"),
        ('print(f"val_loss:{v:.4f}")', "val_loss", "0.5123"),
        ('print(f"val_loss={v}")', "val_loss", "0.51234"),
        ('print(f"{val_loss=:.2f}")', "val_loss", "0.51"),
        ('print("val_loss:", v)', "val_loss", "0.51234"),
        ('print("val_loss", v)', "val_loss", "0.51234"),
        ('print("val_loss", v, sep="=")', "val_loss", "0.51234"),
        ('print("val_loss: %.3f" % v)', "val_loss", "0.512"),
        ('print("regression, mse: %s" % v)', "mse", "0.51234"),
        ('print("lr %g loss %.3f%%" % (0.1, v))', "loss", "0.512"),
        ('print("val_loss: {:.3f}, after {} steps".format(v, 7))', "val_loss", "0.512"),
        ('print("val_loss: " + str(v))', "val_loss", "0.51234"),
        ('print(f"  Final accuracy : {v:.1%} of all")', "final_accuracy", "51.2"),
        ('print(f"Epoch 3/10 — val_acc: {v:.3f} | val_loss: {w:.3f}")', "val_loss", "0.250"),
        ('print(f"step {3}: train loss {w:.4f}, val loss {v:.4f}")', "val_loss", "0.5123"),
        ('print(f"iter {3}: loss {v:.4f}, time {1.5:.2f}ms, mfu {3:.2f}%")', "mfu", "3.00"),
        ('print(f"iter {3}: loss {v:.4f}, time {1.5:.2f}ms, mfu {3:.2f}%")', "time", "1.50"),
        ('print(f"metrics (accuracy: {v:.3f})")', "accuracy", "0.512"),
        ('print(f"\\n---\\nEval AUC: {v:.4f}\\nnum_steps: {3}")', "eval_auc", "0.5123"),
        ('print(json.dumps({"bleu": v, "val_loss": w}))', "val_loss", "0.25"),
        ('sys.stdout.write(f"accuracy: {v}\\n")', "accuracy", "0.51234"),
        ('print0 = print\nprint0(f"step:{3}/{9} val_loss:{v:.4f} train_time:{7:.0f}ms")', "val_loss", "0.5123"),
        ('NAME = "f1"\nprint(f"val_{NAME}: {v:.2f}")', "val_f1", "0.51"),
    ],
)
def test_the_expression_reads_what_the_statement_prints(statement: str, name: str, value: str, tmp_path: Path) -> None:
    source = f"import json, sys\nv, w = 0.51234, 0.25\nval_loss = v\n{statement}\n"
    metric = found_in(tmp_path, train=source)[name]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(source, {})
    assert values(metric, output.getvalue()) == [value]
    assert metric.take == "only"


@pytest.mark.parametrize(("unit", "better"), [("s/iter", "minimize"), (" it/s", "maximize"), (" times", "maximize")])
def test_a_unit_tells_the_direction_before_the_name(unit: str, better: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, train=f"v = 0.5\nprint(f'speed: {{v:.2f}}{unit}')\n")["speed"].direction == better


@pytest.mark.parametrize(
    "statement",
    [
        'print(f"left time: {n:.2f}s")',
        'print(f"num_steps: {n}")',
        'print(f"Time budget: {n}s")',
        'print(f"params: {n:,}")',
        'print(f"Saved to {n}")',
        'print(f"loss: {n:.3f}", file=sys.stderr)',
        'print(f"\\rloss: {n:.3f}", end="")',
        'print("The loss is small")',
        'print("hidden layers: %s" % n)',
        'print("x_train: {}".format(x_train.shape))',
        'print("x_test:", tuple(x_test.shape))',
        'print("test: {}".format(len(test_loader)))',
        'print(f"{n} {n}")',
        'try:\n    n = 1\nexcept ValueError:\n    print(f"loss: {n}")',
    ],
)
def test_what_is_no_metric(statement: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, train=f"import sys\nn = 3\n{statement}\n") == {}


def take(folder: Path, source: str) -> str:
    return found_in(folder, train=source)["loss"].take


@pytest.mark.parametrize(
    "source",
    [
        "def main():\n    print(f'loss: {v}')\nif __name__ == '__main__':\n    main()\n",
        "def inner():\n    print(f'loss: {v}')\ndef main():\n    for i in w:\n        pass\n    inner()\nmain()\n",
        "class A:\n    def report(self):\n        print(f'loss: {v}')\na = A()\na.report()\n",
    ],
)
def test_what_surely_runs_once_is_expected_once(source: str, tmp_path: Path) -> None:
    assert take(tmp_path, source) == "only"


@pytest.mark.parametrize(
    "source",
    [
        "for i in range(3):\n    print(f'loss: {v}')\n",
        "while v:\n    if v > 2:\n        print(f'loss: {v}')\n",
        "def report():\n    print(f'loss: {v}')\nfor i in range(3):\n    report()\n",
        "def report():\n    print(f'loss: {v}')\nreport()\nreport()\n",
        "def report(n):\n    print(f'loss: {v}')\n    report(n - 1)\nreport(3)\n",
        "class Hook(Base):\n    def on_epoch_end(self):\n        print(f'loss: {v}')\nTrainer(hooks=[Hook()]).fit()\n",
        "if v:\n    print(f'loss: {v}')\nelse:\n    print(f'loss: {v}')\n",
        "for i in range(3):\n    print(f'loss: {v}, acc: {w}')\nprint(f'loss: {v}')\n",
    ],
)
def test_of_what_may_run_several_times_the_last_counts(source: str, tmp_path: Path) -> None:
    assert take(tmp_path, source) == "last"


def test_the_summary_goes_before_the_loop(tmp_path: Path) -> None:
    source = "for i in range(3):\n    print(f'Epoch {i} val_loss: {v:.3f}')\nprint(f'val_loss: {v:.3f}')\n"
    metric = found_in(tmp_path, train=source)["val_loss"]
    assert (metric.take, metric.where) == ("only", "train.py:3")
    assert values(metric, "Epoch 0 val_loss: 3.0\nval_loss: 1.0\n") == ["1.0"]


def test_what_other_modules_print_counts_if_it_is_reached(tmp_path: Path) -> None:
    train = "from harness import evaluate\nimport tools as t\nevaluate(1)\nt.report()\n"
    harness = """
        def evaluate(x):
            print(f"Eval AUC: {x:.4f}")
        def unused():
            print(f"recall: {1:.4f}")
        if __name__ == "__main__":
            print(f"precision: {1:.4f}")
        """
    tools = "def report():\n    print(f'f1: {1:.2f}')\n"
    assert set(found_in(tmp_path, train=train, harness=harness, tools=tools)) == {"eval_auc", "f1"}


def test_numbers_in_lines_of_json(tmp_path: Path) -> None:
    source = (
        "import json\nwith open('log.jsonl', 'a') as log:\n    for step in range(3):\n"
        "        log.write(json.dumps({'step': step, 'eval/loss': step * 0.5}) + '\\n')\n"
    )
    (found,) = found_in(tmp_path, train=source).values()
    assert (found.name, found.json_file, found.key) == ("eval_loss", "log.jsonl", "eval/loss")


def test_numbers_in_a_json_file(tmp_path: Path) -> None:
    source = """
        import json
        OUT = "metrics.json"
        metrics = {"test": {"accuracy": float(1)}, "model": "mlp", "loss": 0.5}
        with open(OUT, "w") as file:
            json.dump(metrics, file)
        """
    found = found_in(tmp_path, train=source)
    assert {name: (one.json_file, one.key) for name, one in found.items()} == {
        "test_accuracy": ("metrics.json", "test.accuracy"),
        "loss": ("metrics.json", "loss"),
    }


def test_numbers_in_a_json_file_of_pathlib(tmp_path: Path) -> None:
    source = 'import json\nfrom pathlib import Path\nPath("./out.json").write_text(json.dumps({"val_loss": 1.0}))\n'
    (metric,) = found_in(tmp_path, train=source).values()
    assert (metric.json_file, metric.key) == ("out.json", "val_loss")
    assert json.loads('{"val_loss": 1.0}')[metric.key] == 1.0


def test_a_logged_metric_is_marked(tmp_path: Path) -> None:
    source = """
        import logging
        logger = logging.getLogger()
        logging.info("val_loss: %.4f", 1.0)
        logger.info(f"acc={1:.2f}")
        """
    found = found_in(tmp_path, train=source)
    assert set(found) == {"val_loss", "acc"}
    assert all(metric.is_logged for metric in found.values())
