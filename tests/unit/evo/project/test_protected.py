"""The audit's programs and edits: what `evo init` protects by itself, and what the gate makes of that."""

from __future__ import annotations

from pathlib import Path

import pytest
from project_files import run_plainly
from script_runs import write_files

from evo.project.audit import Case, load_cases, run_cases
from evo.project.examine import examine
from operators.protection import Protection

CASES = [*load_cases("cheats"), *load_cases("honest")]


def found(folder: Path, source: str, **others: str) -> tuple[dict[str, str], tuple[str, ...]]:
    for name, text in {"train.py": source, **others}.items():
        (folder / name.replace("_md", ".md")).write_text(text, encoding="utf-8")
    project = examine(folder)
    return {one.name: one.reason for one in project.protect}, project.shared


def test_the_audit_is_large_enough() -> None:
    kinds = [case.kind for case in CASES]
    assert kinds.count("cheats") >= 30
    assert kinds.count("honest") >= 20
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("script", sorted({case.script for case in CASES}))
def test_the_gate_refuses_cheats_and_passes_honest_changes(script: str) -> None:
    cases: list[Case] = [case for case in CASES if case.script == script and case.by == "gate"]
    verdicts = list(run_cases(cases, evaluate=False))
    assert [(one.case.name, one.evidence) for one in verdicts if not one.is_right] == []


def test_the_evaluation_with_its_data_and_constants(tmp_path: Path) -> None:
    protect, shared = found(
        tmp_path,
        "import torch\nLR = 0.1\nEVAL_ITERS = 5\ntorch.manual_seed(1)\ndata = list(range(100))\nval = data[90:]\n"
        "def evaluate(m):\n    return sum(m(x) for x in val[:EVAL_ITERS])\n"
        "model = lambda x: x * LR\nloss = evaluate(model)\nprint(f'val_loss: {loss:.3f}')\n",
    )
    assert set(protect) == {"EVAL_ITERS", "torch.manual_seed(1)", "data", "val", "evaluate", "loss", "print val_loss"}
    assert shared == ()


def test_what_training_and_evaluation_share_is_named(tmp_path: Path) -> None:
    _, shared = found(
        tmp_path,
        "import random\nclass Net:\n    def step(self, x): pass\n    def __call__(self, x): return x, 0.5\n"
        "def get_batch(split): return random.random()\n"
        "def estimate(model):\n    _, loss = model(get_batch('val'))\n    return loss\n"
        "model = Net()\nfor _ in range(3):\n    model.step(get_batch('train'))\n"
        "print('val_loss:', float(estimate(model)))\n",
    )
    assert "get_batch" in shared


def test_a_trainer_with_its_held_out_data_and_its_limit(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "import time\nclass Trainer:\n    def __init__(self, model, max_seconds=9.0):\n        x = [1.0, 2.0, 3.0]\n"
        "        self.train_x, self.val_x = x[:2], x[2:]\n        self.max_seconds = max_seconds\n"
        "    def fit(self):\n        t0 = time.time()\n        while time.time() - t0 < self.max_seconds:\n"
        "            self.optimizer.step()\n    def validate(self):\n        return sum(self.val_x)\n"
        "def main():\n    trainer = Trainer(3)\n    trainer.fit()\n    result = trainer.validate()\n"
        "    print(f'val_loss={result:.6f}')\nif __name__ == '__main__':\n    main()\n",
    )
    assert {"Trainer.__init__.max_seconds", "Trainer.fit.t0", "Trainer.validate", "main.result"} <= set(protect)
    assert "held-out data" in protect.values()
    assert "keeps the time budget" in protect.values()


def test_a_function_that_evaluates_and_prints_is_protected_with_its_calls(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "def train(w, data):\n    for x in data:\n        w -= 0.1 * x\n    return w\n"
        "def test(w, test_loader):\n    test_loss = 0\n    for x in test_loader:\n        test_loss += abs(w - x)\n"
        "    test_loss /= 3\n    print(f'test_loss: {test_loss:.4f}')\n"
        "def main():\n    test_loader = [1, 2, 3]\n    w = train(0.5, [1, 2])\n    test(w, test_loader)\n"
        "if __name__ == '__main__':\n    main()\n",
    )
    assert set(protect) == {"test", "main.test_loader", "main: test(w, test_loader)"}


def test_a_constant_that_may_not_change_by_the_documentation(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "N_FOLDS = 3\nDEPTH = 2\nX_LIMIT = 9  # must NOT change\nprint(f'val_loss: {DEPTH / X_LIMIT:.3f}')\n"
        "print(N_FOLDS)\n",
        program_md="Edit train.py. Do not change N_FOLDS.\n",
    )
    assert protect["N_FOLDS"] == protect["X_LIMIT"] == "the documentation forbids to change it"
    assert "DEPTH" not in protect


def test_what_another_module_reports(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "from prepare import evaluate\nWIDTH = 3\nmodel = [WIDTH]\nif __name__ == '__main__':\n    evaluate(model)\n",
        **{"prepare.py": "def evaluate(model):\n    print(f'val_rmse: {len(model):.3f}')\n"},
    )
    assert "evaluate(model)" in protect


def test_held_out_data_that_the_genome_returns_to_what_measures_it(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "DEPTH = 3\ndef train():\n    rows = [[1, 2], [3, 4]]\n    X_val, y_val = rows[1], 1\n    model = [DEPTH]\n"
        "    return model, X_val, y_val\n",
        **{
            "run.py": "import train\ndef score(model, x, y):\n    return len(model) + x[0] - y\n"
            "if __name__ == '__main__':\n    model, x, y = train.train()\n"
            "    print(f'val_rmse: {score(model, x, y):.3f}')\n"
        },
    )
    assert {"train.rows", "train.X_val", "train: return (model, X_val, y_val)"} <= set(protect)
    assert "DEPTH" not in protect


@pytest.mark.parametrize(
    "split",
    [
        "X_tr, X_val, y_tr, y_val = train_test_split(X, y, test_size=0.2)\n",
        "X_tr, X_val = X[:80], X[80:]\ny_tr, y_val = y[:80], y[80:]\n",
    ],
)
@pytest.mark.parametrize(
    "report",
    [
        "m.fit(X_tr, y_tr, eval_set=[(X_val, y_val)])\nauc = roc_auc_score(y_val, m.predict(X_val))\n",
        "y_pred_val = (m.predict(X_val) + n.predict(X_val)) / 2\nauc = roc_auc_score(y_val, y_pred_val)\n",
        "auc = measure.auc(m, X_val, y_val)\n",
    ],
)
def test_features_and_predictions_may_change_and_labels_may_not(split: str, report: str, tmp_path: Path) -> None:
    head = "import measure\ntable = load()\nX = table[:, 1:] ** 2\nX = join(X, X * 0.5)\ny = table[:, 0]\n"
    protect, _ = found(tmp_path, f"{head}{split}m = Ridge(0.1)\n{report}print(f'val_auc: {{auc:.4f}}')\n", measure="")
    assert {"table", "y", "auc", "print val_auc"} <= protect.keys()
    assert not {"X", "y_pred_val"} & protect.keys()


def test_what_makes_the_target_of_a_loss_that_trains(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "import torch\nDEGREE = 4\nRATE = 0.1\nnet = torch.nn.Linear(DEGREE, 1)\n"
        "def draw(count):\n    x = torch.randn(count, DEGREE)\n    return x, x.sum(1)\n"
        "for _ in range(9):\n    x, y = draw(8)\n    output = ((net(x) - y) ** 2).mean()\n    loss = output.item()\n"
        "    output.backward()\n    for one in net.parameters():\n        one.data.sub_(RATE * one.grad)\n"
        "print(f'loss: {loss:.3f}')\n",
    )
    assert {"draw", "output", "loss", "print loss"} <= set(protect)
    assert not {"net", "RATE"} & set(protect)


def test_moves_that_a_program_measures_are_no_held_out_data(tmp_path: Path) -> None:
    source = "import game\ndef choose(board):\n    valid = game.moves(board)\n    best_eval = max(valid)\n"
    write_files(
        tmp_path,
        {
            "bot.py": source + "    return best_eval or valid[0]\n",
            "game.py": "def moves(board): return [board]\n",
            "evaluate.py": "import bot\nprint(f'mean_reward: {sum(map(bot.choose, range(5))) / 5}')\n",
            "program.md": "`bot.py` is the only file that you edit.\n",
        },
    )
    assert not examine(tmp_path).protect


def test_a_summary_that_is_updated(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "WIDTH = 3\ndef evaluate(model):\n    return {'sharpe': len(model) / 2}\n"
        "def main():\n    model = [WIDTH]\n    summary = {}\n    summary.update(evaluate(model))\n"
        "    print(f\"val_sharpe: {summary['sharpe']:.4f}\")\n    print(f'train_acc: {WIDTH:.4f}')\n"
        "if __name__ == '__main__':\n    main()\n",
        program_md="The metric is val_sharpe.\n",
    )
    assert {"evaluate", "main.summary", "main: summary.update(evaluate(model))", "print val_sharpe"} <= set(protect)
    assert "print train_acc" not in protect


EVALUATED = (
    "import csv, json\nfrom pathlib import Path\nRATE = 0.1\ndef rows():\n    return [1, 2, 3]\n"
    "def evaluate(w, given):\n    return {'val_loss': sum(abs(w - x) for x in given)}\n"
    "HEAD\ndef main():\n    valid = rows()\n    w = 0.5 * RATE\n    found = evaluate(w, valid)\n    WRITE\n"
    "if __name__ == '__main__':\n    main()\n"
)


@pytest.mark.parametrize(
    ("head", "write", "call"),
    [
        ("OUT = 'metrics.json'", "with open(OUT, 'w') as f:\n        json.dump(found, f)", "json.dump(found, f)"),
        (
            "options = {'out': 'metrics.json', 'rate': 0.3}",
            "json.dump(found, open(options['out'], 'w'))",
            "json.dump(found, open(options['out'], 'w'))",
        ),
        (
            "class Run:\n    path = 'metrics.json'\n    def save(self, x): json.dump(x, open(self.path, 'w'))",
            "run = Run()\n    run.save(found)",
            "run.save(found)",
        ),
        (
            "",
            "out = csv.writer(open('m.csv', 'w'))\n    out.writerow(['val_loss'])\n    out.writerow(found.values())",
            "out.writerow(found.values())",
        ),
        ("def show(loss):\n    print(f'val_loss: {loss:.4f}')", "show(found['val_loss'])", "print val_loss"),
        (
            "def log(name, value):\n    print(f'{name}: {value:.4f}')",
            "log('w', w)\n    log('val_loss', found['val_loss'])",
            "print val_loss",
        ),
    ],
)
def test_a_report_through_a_file_or_a_function(tmp_path: Path, head: str, write: str, call: str) -> None:
    source = EVALUATED.replace("HEAD", head).replace("WRITE", write)
    (tmp_path / "train.py").write_text(source, encoding="utf-8")
    protect = {one.name for one in examine(tmp_path, run=run_plainly).protect}
    assert {"rows", "evaluate", "main.valid", "main.found"} <= protect
    assert protect & {call, f"main: {call}"}
    assert not protect & {"RATE", "main.w", "main: log('w', w)"}


@pytest.mark.parametrize(
    ("made", "filled"),
    [
        ("errors = []", "errors.append(abs(w * x - y))"),
        ("errors = {}", "errors[x] = abs(w * x - y)"),
        ("errors = [0, 0, 0]", "errors[x] += abs(w * x - y)"),
    ],
)
def test_what_fills_the_container_that_is_reported(tmp_path: Path, made: str, filled: str) -> None:
    values = "errors.values()" if "{" in made else "errors"
    protect, _ = found(
        tmp_path,
        f"RATE = 0.1\n{made}\nfor x in range(3):\n    y = 2 * x\n    w = fit(x, RATE)\n    {filled}\n"
        f"print('mean_error:', sum({values}) / 3)\n",
    )
    assert protect[filled].endswith("reads it")
    assert "y" in protect
    assert "RATE" not in protect
    assert "w" not in protect


@pytest.mark.parametrize(
    ("measured", "report", "name"),
    [
        ("gap = measure(valid, model.predict(valid))", "f'gap: {100 * gap:.2f}%'", "gap"),
        ("gap = (model(valid) != 3).float().mean().item()\nlow = min(2, gap)", "f'gap: {low:.2f}'", "gap"),
        ("s = measure(build(), valid)", "'gap: %.4f (%.4f)' % (s.mean(), s.std())", "s"),
        ("gap = sum(model.predict(valid)) / len(valid)", "'gap:', round(gap, 3)", "gap"),
    ],
)
def test_a_metric_of_any_name_that_is_computed_from_predictions(
    measured: str, report: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(
        "from sklearn.base import measure\nRATE = 0.1\nvalid = load()\ndef build():\n    return Net(RATE)\n"
        f"model = build()\n{measured}\nprint({report})\n",
        encoding="utf-8",
    )
    protect = {one.name for one in examine(tmp_path, metric="gap:min").protect}
    assert {"valid", name} <= protect
    assert not protect & {"RATE", "build", "model"}


def test_what_makes_the_held_out_data_of_a_trainer(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import numpy as np\ndef dataset(n, seed):\n    return np.random.RandomState(seed).rand(n)\n"
        "def size(n):\n    return n * 2\nclass Trainer:\n    def __init__(self, width, rows, eval_rows):\n"
        "        self.width, self.rows, self.eval_rows = width, rows, eval_rows\n    def evaluate(self):\n"
        "        return self.eval_rows.mean()\n"
        "trainer = Trainer(size(3), dataset(40, 1), dataset(30, 7))\n"
        "print({f'val_{k}': v for k, v in {'loss': trainer.evaluate()}.items()})\n",
        encoding="utf-8",
    )
    project = examine(tmp_path, run=run_plainly)
    protect = {one.name for one in project.protect}
    assert "dataset" in protect
    assert "size" not in protect
    assert project.seeds == ()


def test_what_trains_for_an_evaluation_that_calls_it(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "STEP = 0.1\nrows = load()\ndef backtest(maker, rows):\n    return maker(rows[:9]).miss(rows[9:])\n"
        "def maker(past):\n    lags = past[1:]\n    return Net(STEP).fit(lags)\n"
        "losses = backtest(maker, rows)\nprint('val_loss:', losses)\n",
    )
    assert {"rows", "backtest", "losses"} <= set(protect)
    assert not {"STEP", "maker", "maker.lags"} & set(protect)


def test_the_loop_of_a_library_with_its_data_and_metrics(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "from loop import Trainer\ndef build_datasets():\n    rows = [1, 2, 3]\n    return rows[:2], rows[2:]\n"
        "def compute_metrics(pair):\n    return {'accuracy': pair[0] == pair[1]}\nclass Net:\n    pass\n"
        "def main():\n    train_set, eval_set = build_datasets()\n    model = Net()\n"
        "    trainer = Trainer(model, train_set, eval_set, compute_metrics)\n"
        "    trainer.train()\n    trainer.evaluate()\n"
        "if __name__ == '__main__':\n    main()\n",
        **{
            "loop.py": "class Trainer:\n    def __init__(self, *given): self.given = given\n    def train(self): pass\n"
            "    def evaluate(self):\n        found = {'eval_loss': 0.5}\n        print(f'eval_loss = {found:.3f}')\n"
        },
    )
    assert {"build_datasets", "compute_metrics", "main.eval_set", "main.trainer"} <= {
        name.replace("train_set", "eval_set") for name in protect
    }
    assert "main: trainer.evaluate()" in protect
    assert not {"main: trainer.train()", "main.model", "Net"} & set(protect)


def test_of_a_line_with_several_numbers_only_the_metric_is_followed(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "config = dict(lr=0.1, smoothing=0.2, epochs=3)\nclass Meter:\n    def __init__(self): self.sum = 0\n"
        "    def update(self, x): self.sum += x\ndef validate(w):\n    meter = Meter()\n    meter.update(w)\n"
        "    return meter.sum\ndef train(w):\n    w -= config['lr']\n    return w, w * config['smoothing']\nw = 3.0\n"
        "for epoch in range(config['epochs']):\n    w, loss = train(w)\n    acc = validate(w)\n"
        "    print(f'Epoch {epoch}/{config[\"epochs\"]} loss {loss:.4f} val acc {acc:.2f}%')\n",
    )
    assert set(protect) == {"Meter", "validate", "acc", "print val acc"}


def test_a_text_in_the_line_of_the_metric_is_followed(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "name = input()\nloss = 0.5\nacc = float(input())\nprint(f'{name} loss {loss:.3f} val acc {acc:.2f}')\n",
    )
    assert {"name", "acc"} <= set(protect)
    assert "loss" not in protect


def test_how_often_an_evaluation_counts(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "import random\nROUNDS = 20\nWIDTH = 3\ndef predict(x): return x * WIDTH\n"
        "error = 0.0\nfor _ in range(ROUNDS):\n"
        "    x = random.random()\n    error += abs(predict(x) - x)\nprint('mean_error: %.6f' % (error / ROUNDS))\n",
    )
    assert protect["ROUNDS"] == "the evaluation reads it"
    assert "WIDTH" not in protect


def test_data_that_an_evaluation_draws(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "import random\ndef sample(n, rng):\n    return [rng.random() for _ in range(n)]\ndef features(rows):\n"
        "    return [x * 2 for x in rows]\ntrain, valid = sample(30, random), sample(9, random)\n"
        "valid_x = features(valid)\nprint('val_error:', sum(valid_x) / len(valid))\n",
    )
    assert "sample" in protect
    assert "features" not in protect


def test_data_in_a_container_of_a_library(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "import pandas as pd\nALPHA = 0.1\ny = pd.Series(range(100))\n"
        "def smooth(s):\n    return s.ewm(alpha=ALPHA).mean()\n"
        "actual = y[80:]\npred = smooth(y[:80])\nprint('mae:', abs(pred - actual).mean())\n",
    )
    assert {"y", "actual", "print mae"} <= set(protect)
    assert "ALPHA" not in protect


def test_a_loop_that_measures_with_what_it_goes_through(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "BEAM = 4\ndef spoken():\n    yield from zip('abc', 'abd')\n"
        "def decode(frames):\n    return frames[:BEAM]\n"
        "wrong = 0\nfor said, frames in spoken():\n    heard = decode(frames)\n    wrong += said != heard\n"
        "print('WER:', wrong)\n",
    )
    assert {"spoken", "frames", "wrong"} <= set(protect)
    assert not {"BEAM", "decode", "heard"} & set(protect)


def test_a_loop_that_trains_stays_free(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "w = 0.0\ntotal = 0.0\nfor x, y in pairs():\n    error = y - w * x\n    w = update(w, error)\n"
        "    total += error\nprint('loss:', total)\n",
    )
    assert not {"x", "w"} & set(protect)


def test_what_an_optimizer_minimizes(tmp_path: Path) -> None:
    protect, _ = found(
        tmp_path,
        "from scipy.optimize import minimize\nSTEP = 0.5\ndef cost(x):\n    return x * x\n"
        "def build():\n    return STEP\n"
        "best = None\nfor start in range(3):\n    result = minimize(cost, build(), method='Nelder-Mead')\n"
        "    if best is None or result.fun < best.fun:\n        best = result\nprint('cost:', best.fun)\n",
    )
    assert "cost" in protect
    assert not {"STEP", "build", "result"} & set(protect)


@pytest.mark.parametrize(
    "report",
    [
        'run.log({"train/loss": loss, "valid/acc": acc})',
        'run.log(**{"train/loss": loss, "valid/acc": acc})',
        'found = {"train/loss": loss}\nfound["valid/acc"] = acc\nrun.log(found)',
    ],
)
def test_a_number_that_is_handed_on_under_the_name_of_the_metric(report: str, tmp_path: Path) -> None:
    text = (
        "import random\ncfg = {'lr': 0.5, 'seed': 1}\nrandom.seed(cfg['seed'])\nclass Run:\n"
        "    def log(self, d=(), **named):\n        for k, v in {**dict(d), **named}.items():\n"
        "            print('wandb: ' + f'{k}={v:.4f}')\nrun = Run()\n"
        "xs = [0.25, 0.5]\nw = cfg['lr'] + random.random()\n"
        f"loss = float(len(xs))\nacc = sum(x < w for x in xs) / 2\n{report}\n"
    )
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    found = examine(tmp_path, run=run_plainly)
    assert found.objectives[0].name == "valid_acc"
    protect = {one.name for one in found.protect}
    assert {"xs", "acc"} <= protect
    assert not {"cfg", "loss", "w"} & protect
    assert found.constants == ("cfg.lr",)


SETTINGS = (
    "import numpy as np\nfrom dataclasses import dataclass\n"
    "@dataclass\nclass Config:\n    noise: float = 0.1\n    lr: float = 0.05\n    batch_size: int = 16\n"
    "def make_split(cfg, n, seed):\n    r = np.random.default_rng(seed)\n    x = r.normal(size=n)\n"
    "    return x, 2 * x + r.normal(0, cfg.noise, n)\n"
    "def main(cfg):\n    x, y = make_split(cfg, 99, 1)\n    xv, yv = make_split(cfg, 99, 2)\n    w = 0.0\n"
    "    for i in range(0, 99, cfg.batch_size):\n        w -= cfg.lr * np.mean((w * x[i:] - y[i:]) * x[i:])\n"
    "    print(f'val_loss {np.mean((w * xv - yv) ** 2):.4f}')\nmain(Config())\n"
)
TABLE = (
    "import numpy as np\nconfig = {'seed': 3, 'val_fraction': 0.2, 'noise': 0.1, 'lr': 0.05, 'rng': {'order': 7}}\n"
    "def make_data():\n    r = np.random.default_rng(0)\n    x = r.normal(size=99)\n"
    "    return x, 2 * x + r.normal(0, config['noise'], 99)\nrng = np.random.default_rng(config['seed'])\n"
    "x, y = make_data()\norder = np.random.default_rng(config['rng']['order']).permutation(99)\n"
    "x, y = x[order], y[order]\nn = int(99 * (1 - config['val_fraction']))\n"
    "w = 0.0\nfor step in range(50):\n    i = rng.integers(0, n, 16)\n"
    "    w -= config['lr'] * np.mean((w * x[i] - y[i]) * x[i])\nval_loss = np.mean((w * x[n:] - y[n:]) ** 2)\n"
    "print(f'val_loss {val_loss:.4f}')\n"
)
PHASES = (
    "import numpy as np\nsizes = {'train': 450, 'val': 150}\nsets = [np.ones(450), np.ones(150)]\n"
    "loaders = {key: list(one) for key, one in zip(['train', 'val'], sets)}\n"
    "def fit(rate=0.1):\n    w, best_acc = 0.0, 0.0\n    for epoch in range(3):\n"
    "        for phase in ['train', 'val']:\n            right = 0\n"
    "            for x in loaders[phase]:\n                if phase == 'train':\n"
    "                    w -= rate * (w * x - x)\n"
    "                right += int(abs(w * x - x) < 0.5)\n"
    "            acc = right / sizes[phase]\n            if phase == 'val' and acc > best_acc:\n"
    "                best_acc = acc\n    print(f'Best val Acc: {best_acc:.4f}')\nfit()\n"
)
EPISODES = (
    "import numpy as np\nclass Grid:\n    def reset(self):\n        self.t = 0\n        return 0\n"
    "    def step(self, a):\n        self.t += 1\n        return self.t % 3, 10.0 if a else -0.1, self.t > 9\n"
    "gamma = 0.9\nenv = Grid()\nq = np.zeros((3, 2))\nfor episode in range(50):\n"
    "    s, total, done = env.reset(), 0.0, False\n    while not done:\n        a = int(q[s].argmax())\n"
    "        t, r, done = env.step(a)\n        q[s, a] += 0.1 * (r + gamma * q[t].max() - q[s, a])\n"
    "        s, total = t, total + r\neval_returns = []\nfor _ in range(30):\n"
    "    s, total, done = env.reset(), 0.0, False\n    while not done:\n"
    "        s, r, done = env.step(int(q[s].argmax()))\n        total += r\n    eval_returns.append(total)\n"
    "print(f'Evaluation return: {np.mean(eval_returns):.3f}')\n"
)


@pytest.mark.parametrize(
    ("source", "protected", "free"),
    [
        pytest.param(
            SETTINGS, {"Config.noise"}, {"Config.lr", "Config.batch_size"}, id="a setting that makes the data"
        ),
        pytest.param(
            TABLE,
            {"config.noise", "config.seed", "config.val_fraction", "config.rng.order"},
            {"config", "config.lr"},
            id="items of a table of settings",
        ),
        pytest.param(PHASES, {"sizes", "loaders", "sets"}, {"fit.rate"}, id="one loop that trains and evaluates"),
        pytest.param(EPISODES, {"Grid", "total", "_"}, {"gamma", "q"}, id="episodes in an environment of the file"),
    ],
)
def test_what_an_evaluation_within_the_program_depends_on(
    tmp_path: Path, source: str, protected: set[str], free: set[str]
) -> None:
    protect, _ = found(tmp_path, source)
    assert protected <= set(protect)
    assert not free & set(protect)


def test_a_report_that_is_not_found_is_told(tmp_path: Path) -> None:
    source = "import sys\nlr = 0.1\nprint('done')\nsys.stdout.write(chr(118) + 'al_loss ' + str(lr * 5))\n"
    (tmp_path / "train.py").write_text(source, encoding="utf-8")
    notes = examine(tmp_path, metric="val_loss:min").notes
    assert any("What reports val_loss was not found in train.py" in note for note in notes)


def test_keys_of_settings_that_make_what_is_measured(tmp_path: Path) -> None:
    program = (
        "import numpy as np\nimport yaml\ncfg = yaml.safe_load(open('settings.yaml'))\nr = np.random.default_rng(0)\n"
        "n = cfg['data']['n']\nx = r.normal(size=n)\ny = 2 * x + r.normal(0, cfg['data'].get('noise'), n)\nw = 0.0\n"
        "for i in range(cfg['steps']):\n    w -= cfg['optim']['lr'] * np.mean((w * x[:50] - y[:50]) * x[:50])\n"
        "val_loss = np.mean((w * x[50:] - y[50:]) ** 2)\nprint(f'val_loss {val_loss:.4f}')\n"
    )
    settings = "data:\n  n: 99\n  noise: 0.1\noptim:\n  lr: 0.1\nsteps: 30\n"
    (tmp_path / "settings.yaml").write_text(settings, encoding="utf-8")
    (tmp_path / "train.py").write_text(program, encoding="utf-8")
    project = examine(tmp_path, ["settings.yaml"])
    assert [one.name for one in project.protect] == ["n: 99", "noise: 0.1"]
    assert project.constants == ("optim.lr", "steps")


SEARCHED = (
    "from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split\n"
    "X, y = load_wine(return_X_y=True)\nX_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3)\n"
    "search = GridSearchCV(Trees(depth=3), {'depth': [1, 2]}, cv=StratifiedKFold(3), scoring='accuracy')\n"
    "search.fit(X_train, y_train)\nprint('val_score: %.4f' % search.best_score_)\n"
)


@pytest.mark.parametrize(
    ("old", "new", "is_refused"),
    [
        ("[1, 2]", "[1, 2, 8]", False),
        ("depth=3", "depth=8", False),
        ("StratifiedKFold(3)", "StratifiedKFold(9)", True),
        (", cv=StratifiedKFold(3)", "", True),
        ("'accuracy'", "'f1'", True),
        ("X_train, y_train)", "X_train[:20], y_train[:20])", True),
        ("test_size=0.3", "test_size=0.9", True),
    ],
)
def test_what_a_search_of_a_library_measures_itself_on(tmp_path: Path, old: str, new: str, is_refused: bool) -> None:
    protect, _ = found(tmp_path, SEARCHED)
    protection = Protection(SEARCHED, ("train.py",), tuple(protect))
    assert (protection.violation(SEARCHED.replace(old, new)) is not None) is is_refused
