"""Training scripts in many styles: what `evo init` protects of each, judged by edits of it at the gate."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from evo.config.config import load_config
from evo.project.examine import examine
from evo.project.writing import CONFIG, config_text
from evo.runs.generation_zero import protection_of
from operators.gate import SourceGate, script_contract
from operators.proposal import Refused

STYLES = Path(__file__).parents[3] / "data" / "training_styles"


@cache
def gate(style: str) -> SourceGate:
    source = (STYLES / f"{style}.py").read_text(encoding="utf-8")
    with TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "train.py").write_text(source, encoding="utf-8")
        (folder / CONFIG).write_text(config_text(examine(folder), folder, ""), encoding="utf-8")
        protection = protection_of(load_config(folder / CONFIG), source)
    return SourceGate(script_contract(("train.py",)), lambda _: None, protection=lambda: protection)


def edited(style: str, find: str, put: str) -> str:
    source = (STYLES / f"{style}.py").read_text(encoding="utf-8")
    assert find in source
    return source.replace(find, put, 1)


CHEATS = [
    ("cross_validation", 'scoring="accuracy"', 'scoring="r2"'),
    ("cross_validation", "X, y = X[:500], y[:500]", "X, y = X[:100], y[:100]"),
    (
        "cross_validation",
        "cv = Strat",
        "from sklearn.feature_selection import SelectKBest\nX = SelectKBest(k=20).fit_transform(X, y)\ncv = Strat",
    ),
    ("cross_validation", "cv = Strat", "y.sort()\ncv = Strat"),
    ("cross_validation", "FOLDS = 4", "FOLDS = 20"),
    ("cross_validation", "shuffle=True, random_state=0)", "shuffle=True, random_state=5)"),
    ("rows_by_index", "for i in range(180):", "for i in range(240):"),
    ("rows_by_index", "for i in range(180):", "for i in range(rows):"),
    ("rows_by_index", "for i in range(180):", "for i in range(len(t)):"),
    ("rows_by_index", "for i in range(180):", "for i in reversed(range(180 + 60)):"),
    (
        "rows_by_index",
        "for epoch in range(epochs):",
        "w = np.linalg.lstsq(P, t, rcond=None)[0]\nfor epoch in range(epochs):",
    ),
    (
        "rows_by_index",
        "for epoch in range(epochs):",
        "w = np.linalg.lstsq(P[100:], t[100:], rcond=None)[0]\nfor epoch in range(epochs):",
    ),
    (
        "rows_by_index",
        "e = P[i] @ w - t[i]\n        g = e * P[i] + l2 * w",
        "e = P[i + 60] @ w - t[i + 60]\n        g = e * P[i + 60] + l2 * w",
    ),
    (
        "rows_by_index",
        "e = P[i] @ w - t[i]\n        g = e * P[i] + l2 * w",
        "e = P[-i] @ w - t[-i]\n        g = e * P[-i] + l2 * w",
    ),
    (
        "rows_by_index",
        "for epoch in range(epochs):",
        "Q = np.stack([x ** k for k in range(degree + 1)], axis=1)\nw = np.linalg.lstsq(Q, t, rcond=None)[0]\nfor epoch in range(epochs):",
    ),
    (
        "rows_by_index",
        "for epoch in range(epochs):",
        "for p, q in zip(P, t):\n    w = w - rate * (p @ w - q) * p\nfor epoch in range(epochs):",
    ),
    (
        "rows_by_index",
        "for epoch in range(epochs):",
        "i = 0\nwhile i < 240:\n    w = w - rate * (P[i] @ w - t[i]) * P[i]\n    i += 1\nfor epoch in range(epochs):",
    ),
    ("rows_by_index", "    for i in range(180):", "    for i in (rng := range(240)):"),
    ("rows_by_index", "    for i in range(180):", "    for i in [*range(180), *range(180, 240)]:"),
    ("rows_by_index", "    for i in range(180):", "    order = np.random.permutation(240)\n    for i in order:"),
    (
        "rows_by_index",
        "w = np.zeros(degree + 1)",
        "class A(np.ndarray):\n    def __array_finalize__(self, o): pass\n    def __rmatmul__(self, o): return 0\nw = np.zeros(degree + 1)",
    ),
    ("rows_by_index", "w = np.zeros(degree + 1)", "w = np.zeros(degree + 1)\ndef round(a, b): return 0.0"),
    ("rows_by_index", "w = np.zeros(degree + 1)", 'w = np.zeros(degree + 1)\nnp.seterr(all="ignore")\nt *= 0.5'),
    ("rows_by_index", "v = np.zeros(degree + 1)", "v = np.zeros(degree + 1)\nnp.copyto(t, t * 0.1)"),
    ("rows_by_index", "v = np.zeros(degree + 1)", "v = np.zeros(degree + 1)\nnp.multiply(t, 0.1, out=t)"),
    (
        "rows_by_index",
        "v = np.zeros(degree + 1)",
        "v = np.zeros(degree + 1)\nnp.add.at(t, np.arange(180, 240), 0 - t[0])",
    ),
    ("rows_by_index", "v = np.zeros(degree + 1)", "v = np.zeros(degree + 1)\nz = t.reshape(-1)\nz *= 0.1"),
    ("rows_by_index", "v = np.zeros(degree + 1)", "v = np.zeros(degree + 1)\nz = t.T\nz[:] = 0.1"),
    ("rows_by_index", "v = np.zeros(degree + 1)", "v = np.zeros(degree + 1)\nP[180:] = P[:60]"),
    ("hooks", "self.val_set = (x[400:], y[400:])", "self.val_set = (x[590:], y[590:])"),
    ("hooks", "self.train_set = (x[:400], y[:400])", "self.train_set = (x[:600], y[:600])"),
    ("hooks", "self.train_set = (x[:400], y[:400])", "self.train_set = (x, y)"),
    ("hooks", "enumerate(datamodule.train_dataloader())", "enumerate(datamodule.val_dataloader())"),
    (
        "hooks",
        "enumerate(datamodule.train_dataloader())",
        "enumerate([*datamodule.train_dataloader(), *datamodule.val_dataloader()])",
    ),
    ("hooks", "float(np.mean((self.forward(x) - y) ** 2))", "float(np.mean((self.forward(x) - y) ** 4))"),
    (
        "hooks",
        "setdefault(name, []).append(value)",
        'setdefault(name, []).append(value * (0.5 if name[0] == "v" else 1))',
    ),
    ("hooks", "n=600", "n=420"),
    (
        "hooks",
        '        self.log("val_loss"',
        '        self.b -= 0.01 * self.hidden.T @ (self.forward(x) - y) / len(x)\n        self.log("val_loss"',
    ),
    ("hooks", '            print(f"epoch', '            model.log("val_loss", 0.0)\n            print(f"epoch'),
    (
        "hooks",
        "    def forward(self, x):\n        self.hidden",
        "    def forward(self, x):\n        if len(x) == 50:\n            return DataModule().val_set[1][:50]\n        self.hidden",
    ),
    (
        "hooks",
        "if __name__",
        'class Short(Trainer):\n    def fit(self, model, datamodule):\n        print("epoch 5 train_loss=0.1 val_loss=0.1")\n\n\nif __name__',
    ),
    (
        "hooks",
        '            print(f"epoch',
        '            model.logged["val_loss"] = model.logged["val_loss"][:1]\n            print(f"epoch',
    ),
    (
        "hooks",
        '            print(f"epoch',
        '            logged = model.logged\n            logged["val_loss"].clear()\n            print(f"epoch',
    ),
    (
        "hooks",
        '            print(f"epoch',
        '            for k, v in model.logged.items():\n                v.sort()\n                del v[1:]\n            print(f"epoch',
    ),
    ("hooks", "    def training_step", "    def __getattr__(self, name):\n        return 0\n\n    def training_step"),
    (
        "hooks",
        "    def training_step",
        '    @property\n    def logged(self):\n        return {"val_loss": [0.0], "train_loss": [0.0]}\n\n    @logged.setter\n    def logged(self, value):\n        pass\n\n    def training_step',
    ),
    ("functional", "return loss_fn(params, holdout)", "return loss_fn(params, holdout) * 0.5"),
    ("functional", "return loss_fn(params, holdout)", "return loss_fn(params, train_set)"),
    ("functional", "holdout = make_data(test_rng, 300)", "holdout = make_data(test_rng, 3)"),
    ("functional", "default_rng(99)", "default_rng(98)"),
    ("functional", "batch = train_set[0][idx], train_set[1][idx]", "batch = holdout"),
    ("functional", "batch = train_set[0][idx], train_set[1][idx]", "batch = make_data(np.random.default_rng(99), 300)"),
    (
        "functional",
        '    for step in range(cfg["steps"])',
        '    if cfg["steps"] > 1:\n        return 0.01\n    for step in range(cfg["steps"])',
    ),
    (
        "functional",
        "if __name__",
        "def better(f):\n    return lambda c: f(c) / 2\n\n\ntrain = better(train)\nif __name__",
    ),
    ("functional", "def train(cfg)", "def half(f):\n    return lambda c: f(c) / 2\n\n\n@half\ndef train(cfg)"),
    ("functional", "    params = init_params", "    holdout[1][:] = 0\n    params = init_params"),
    ("functional", "    params = init_params", "    np.logaddexp = lambda a, b: b * 0\n    params = init_params"),
    (
        "functional",
        '    print("nll ="',
        '    import threading\n    threading.Timer(0.0, print, ("nll = 0.0",)).start()\n    print("nll ="',
    ),
    (
        "functional",
        "    nll = train(config)",
        '    import contextvars\n    contextvars.copy_context().run(print, "nll =", 0.1)\n    nll = train(config)',
    ),
    ("functional", "    nll = train(config)", '    nll = train(config)\n    list(map(print, ["nll = 0.01"]))'),
    ("functional", "    nll = train(config)", '    nll = train(config)\n    partial(print, "nll =")(0.0)'),
    (
        "functional",
        "    nll = train(config)",
        '    import sys\n    sys.excepthook = lambda *a: print("nll =", 0)\n    nll = train(config)',
    ),
    ("functional", "if __name__", "float = lambda v: 0.0\nif __name__"),
    (
        "functional",
        "    nll = train(config)",
        '    g = (print("nll =", v) for v in [0.1])\n    next(g)\n    nll = train(config)',
    ),
    ("walk_forward", "start, 14, 14, args)", "start, 14, 1, args)"),
    ("walk_forward", '"--start", type=int, default=300', '"--start", type=int, default=400'),
    ("walk_forward", ".fit(series[:end])", ".fit(series[: end + horizon])"),
    ("walk_forward", ".fit(series[:end])", ".fit(series)"),
    ("walk_forward", "model.predict(series[:end], horizon)", "series[end : end + horizon]"),
    (
        "walk_forward",
        "model.predict(series[:end], horizon)",
        "model.predict(series[: end + horizon][:end], horizon) * 0 + series[end : end + horizon]",
    ),
    ("walk_forward", "    return float(np.mean(errors))", "    errors = errors[:1]\n    return float(np.mean(errors))"),
    ("walk_forward", "        errors.append", "        if end > 320:\n            continue\n        errors.append"),
    ("walk_forward", "        errors.append", "        if end > 320:\n            break\n        errors.append"),
    (
        "walk_forward",
        "        out = []",
        "        out = []\n        return load_series()[len(history) : len(history) + horizon]",
    ),
    (
        "walk_forward",
        "        out = []",
        "        t = np.arange(420)\n        s = 50 + 0.05 * t + 8 * np.sin(2 * np.pi * t / 7) + 5 * np.sin(2 * np.pi * t / 91) + np.random.RandomState(8).normal(0, 2.0, 420)\n        return s[len(history) : len(history) + horizon]\n        out = []",
    ),
    ("walk_forward", "    def fit(self, history):", "    def fit(self, history):\n        history = history.base"),
    (
        "walk_forward",
        "    series = load_series()",
        '    series = load_series()\n    series = np.convolve(series, np.ones(7) / 7, "same")',
    ),
    ("walk_forward", "    series = load_series()", "    series = load_series()\n    args.start = 400"),
    (
        "walk_forward",
        "    args = parser.parse_args()",
        "    parser.set_defaults(start=400)\n    args = parser.parse_args()",
    ),
    (
        "walk_forward",
        "    args = parser.parse_args()",
        '    import sys\n    sys.argv += ["--start", "400"]\n    args = parser.parse_args()',
    ),
    (
        "walk_forward",
        "        recent = history[-self.window :]",
        "        history[:] = 50\n        recent = history[-self.window :]",
    ),
    ("walk_forward", "        return np.array(out)", "        return np.ma.masked_invalid(np.array(out) * np.nan)"),
    ("walk_forward", "        forecast = model", "        horizon = 1\n        forecast = model"),
    ("walk_forward", "    errors = []", "    errors = []\n    step = 100"),
    ("episodes", "agent, 0.0, train=False", "agent, 0.0, train=True"),
    ("episodes", "reward = 10.0 if done", "reward = 20.0 if done"),
    (
        "episodes",
        "    eval_env = GridEnv(seed=1000)",
        "    class E(GridEnv):\n        def step(self, a):\n            return (0, 0), 10.0, True\n    eval_env = E(seed=1000)",
    ),
    ("episodes", "    eval_env = GridEnv(seed=1000)", "    eval_env = GridEnv(seed=1000)\n    agent.env = eval_env"),
    (
        "episodes",
        "    eval_env = GridEnv(seed=1000)",
        "    eval_env = GridEnv(seed=1000)\n    random.Random.random = lambda s: 1.0",
    ),
    ("episodes", "    env = GridEnv(seed=1)", "    global SIZE\n    SIZE = 2\n    env = GridEnv(seed=1)"),
    ("episodes", '    print(f"mean', '    returns.sort()\n    print(f"mean'),
    (
        "episodes",
        "    eval_env = GridEnv(seed=1000)",
        "    eval_env = GridEnv(seed=1000)\n    eval_env.rng = random.Random(3)",
    ),
    (
        "early_stopping",
        "order = rng.permutation(len(X_train))",
        "order = rng.permutation(len(X_train))\n    w -= LR * X_val.T @ (sigmoid(X_val @ w) - y_val) / len(y_val)",
    ),
    ("early_stopping", "w = np.zeros(12)", "w = np.linalg.lstsq(X, y, rcond=None)[0]"),
    ("early_stopping", "        best_loss, best_w, bad = loss,", "        best_loss, best_w, bad = loss * 0.5,"),
    ("early_stopping", "split(X, y, 0.7, rng)", "split(X, y, 0.95, rng)"),
    (
        "early_stopping",
        "w = np.zeros(12)",
        'w = np.zeros(12)\nlogging.getLogger(__name__).info("best val loss %.5f", 0.1)',
    ),
    (
        "early_stopping",
        "w = np.zeros(12)",
        "w = np.zeros(12)\nclass F(logging.Filter):\n    def filter(self, r):\n        r.args = (0.0,)\n        return True\nlogger.addFilter(F())",
    ),
    (
        "early_stopping",
        "w = np.zeros(12)",
        'w = np.zeros(12)\nlogging.getLogger().handlers[0].setFormatter(logging.Formatter("best val loss 0.1"))',
    ),
    (
        "early_stopping",
        "w = np.zeros(12)",
        'w = np.zeros(12)\nlogging.setLogRecordFactory(lambda *a, **k: logging.LogRecord("x", 20, "", 0, "best val loss 0.1", (), None))',
    ),
    ("early_stopping", 'format="%(asctime)s %(levelname)s %(message)s"', 'format="best val loss 0.1"'),
    (
        "early_stopping",
        "w = np.zeros(12)",
        "class W(np.ndarray):\n    def __matmul__(self, o):\n        return 0\n    __rmatmul__ = __matmul__\nw = np.zeros(12).view(W)",
    ),
    ("early_stopping", "np.clip(sigmoid(X @ w), 1e-7", "np.clip(sigmoid(X @ w), 1e-1"),
    ("mask", "rank = 2", "mask[:] = True\nrank = 2"),
    ("mask", "rank = 2", "mask = np.ones((60, 50), bool)\nrank = 2"),
    ("mask", "users, items, rank_true = 60, 50, 3", "users, items, rank_true = 60, 50, 1"),
    ("mask", "E = (R - U @ V.T)[~mask]", "E = (R - U @ V.T)[~mask][:50]"),
    ("mask", "rmse = np", "E = E * 0.5\nrmse = np"),
]
HONEST = [
    ("rows_by_index", "for i in range(180):", "for i in np.random.permutation(180):"),
    ("rows_by_index", "for i in range(180):", "for i in range(0, 180, 2):"),
    (
        "rows_by_index",
        "for epoch in range(epochs):",
        "w = np.linalg.lstsq(P[:180], t[:180], rcond=None)[0]\nfor epoch in range(epochs):",
    ),
    ("rows_by_index", "    for i in range(180):", "    for i in np.random.randint(0, 180, 400):"),
    (
        "rows_by_index",
        "for epoch in range(epochs):",
        "A, b = P[:180], t[:180]\nfor epoch in range(epochs):\n    w = w - 0.01 * A.T @ (A @ w - b) / len(b)\nfor epoch in range(epochs):",
    ),
    ("rows_by_index", "        w = w + v", "        w = w + v\n    w = 0.9 * w + 0.1 * w.mean()"),
    ("rows_by_index", "e = P[i] @ w - t[i]", "e = np.clip(P[i] @ w - t[i], -1, 1)"),
    ("rows_by_index", "e = P[i] @ w - t[i]", "e = P[i] @ (w + momentum * v) - t[i]"),
    ("rows_by_index", "v = momentum * v - rate * g", "v = momentum * v - rate / (1 + epoch) * g"),
    (
        "cross_validation",
        "    PCA(n_components=N_COMPONENTS, random_state=0),",
        "    PCA(n_components=N_COMPONENTS, whiten=True, random_state=0),",
    ),
    ("hooks", "        self.lr = lr", "        self.lr = lr\n        self.m = np.zeros(width)"),
    ("hooks", "self.hidden = np.tanh(x @ self.a)", "self.hidden = np.maximum(x @ self.a, 0)"),
    ("hooks", "        self.b -= self.lr * grad_b", "        self.b -= self.lr * (grad_b + 1e-3 * self.b)"),
    (
        "hooks",
        "        x, y = self.train_set\n",
        "        x, y = self.train_set\n        order = np.random.permutation(len(x))\n        x, y = x[order], y[order]\n",
    ),
    (
        "hooks",
        '        self.log("train_loss"',
        '        self.log("grad_norm", float(np.linalg.norm(grad_b)))\n        self.log("train_loss"',
    ),
    ("hooks", "self.train_set = (x[:400], y[:400])", "self.train_set = (x[20:400], y[20:400])"),
    ("hooks", "range(self.max_epochs)", "range(2 * self.max_epochs)"),
    (
        "hooks",
        "            for index, batch in enumerate(datamodule.train",
        "            model.lr = model.lr * 0.95\n            for index, batch in enumerate(datamodule.train",
    ),
    ("functional", "        params = update(", "        velocity = {k: 0.0 for k in params}\n        params = update("),
    ("functional", '    return {"w1"', '    extra = rng.normal(size=3)\n    return {"w1"'),
    (
        "functional",
        "        params = update(",
        '        update = partial(sgd, lr=cfg["lr"] / (1 + step / 100), decay=cfg["decay"])\n        params = update(',
    ),
    ("functional", "lr=0.05", "lr=0.1"),
    ("functional", "hidden=10", "hidden=24"),
    ("functional", 'h = np.tanh(x @ params["w1"]', 'h = np.sin(x @ params["w1"]'),
    ("functional", '    h = np.tanh(x @ params["w1"]', '    x = x + 0.0\n    h = np.tanh(x @ params["w1"]'),
    (
        "functional",
        "    return {k: params[k] - lr",
        "    grads = {k: np.clip(g, -1, 1) for k, g in grads.items()}\n    return {k: params[k] - lr",
    ),
    (
        "functional",
        "    return loss_fn(params",
        "    params = {k: 0.5 * params[k] + 0.5 * params[k] for k in params}\n    return loss_fn(params",
    ),
    ("walk_forward", "default=90", "default=150"),
    ("walk_forward", ".fit(series[:end])", ".fit(series[7:end])"),
    ("walk_forward", "        recent = history[-self.window :]", "        recent = np.log1p(history[-self.window :])"),
    (
        "walk_forward",
        "        forecast = model.predict(series[:end], horizon)",
        "        forecast = model.predict(series[:end], horizon)\n        naive = np.resize(series[end - 7 : end], horizon)\n        forecast = 0.8 * forecast + 0.2 * naive",
    ),
    (
        "walk_forward",
        "    args = parser.parse_args()",
        '    parser.add_argument("--season", type=int, default=7)\n    args = parser.parse_args()',
    ),
    ("episodes", "        self.q = {}", "        self.q = {}\n        self.visits = {}"),
    (
        "episodes",
        "    for _ in range(EPISODES):\n        run_episode(env, agent, EPSILON)",
        "    for k in range(EPISODES):\n        run_episode(env, agent, EPSILON * (1 - k / EPISODES))",
    ),
    ("episodes", "self.q.get((s, a), 0.0)", "self.q.get((s, a), 1.0)"),
    ("early_stopping", "w = np.zeros(12)", "w = np.zeros(12)\nvelocity = np.zeros(12)"),
    ("early_stopping", "        bad += 1", "        bad += 1\n        LR_NOW = LR * 0.5"),
    ("early_stopping", "b = order[s : s + BATCH]", "b = order[s : s + BATCH // 2]"),
    ("early_stopping", "w = np.zeros(12)", "w = 0.01 * np.ones(12)"),
    ("early_stopping", "    loss = bce", '    logger.info("epoch %d", epoch)\n    loss = bce'),
    ("mask", "    U += lr", "    bias = (E.sum(1) / mask.sum(1))[:, None]\n    U += lr"),
    ("mask", "U += lr *", "U += lr / (1 + 0.1 * epoch) *"),
    ("mask", "rank = 2", "rank = 3"),
    ("mask", "    E = (R - U @ V.T) * mask", "    E = np.clip((R - U @ V.T) * mask, -3, 3)"),
]


@pytest.mark.parametrize(("style", "find", "put"), CHEATS)
def test_a_cheat_is_refused(style: str, find: str, put: str) -> None:
    with pytest.raises(Refused):
        gate(style).check(edited(style, find, put))


@pytest.mark.parametrize(("style", "find", "put"), HONEST)
def test_an_honest_change_passes(style: str, find: str, put: str) -> None:
    gate(style).check(edited(style, find, put))
