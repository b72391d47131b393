"""Which literals of a Python program are its constants."""

from __future__ import annotations

import pytest

from operators.source.constants import find_constants


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("clf = ensemble.RandomForestClassifier(n_estimators=10, max_depth=3, random_state=42, n_jobs=2)",
         {"RandomForestClassifier.n_estimators": 10, "RandomForestClassifier.max_depth": 3}),
        ("model = pipe(Scaler(), SVC(C=10.0, gamma=1e-3, cv=3))", {"SVC.C": 10.0, "SVC.gamma": 1e-3}),
        ("opt = AdamW(weights, lr=3e-4, weight_decay=0.0)", {"AdamW.lr": 3e-4}),
        ("x = Dense(units=3)\ny = Dense(units=4)", {"Dense.units": 3, "Dense.units#2": 4}),
        ('params = {"eta": 0.3, "max_depth": 6, "lambda": 0, "seed": 3}', {"params.eta": 0.3, "params.max_depth": 6}),
        ("P: dict[str, float] = dict(width=3, n_jobs=4, nthread=2)", {"P.width": 3}),
        ('params = {"tree": {"eta": 0.3}, "eval": {"every": 5}, 7: 8}', {"params.tree.eta": 0.3}),
        ('SPLITS = {"train": 0.8, "val": 0.2}', {}),
        ("rows = linspace(0, 1, num=50)", {}),
        ("ALPHA, GAMMA, name = 0.1, 0.9, 3", {"ALPHA": 0.1, "GAMMA": 0.9, "name": 3}),
        ("A, B = 1, 2\nB += 1", {"A": 1}),
        ('flags.DEFINE_float("lr", 3e-4, "")\n_W = flags.DEFINE_integer("w", 8, "")', {"--lr": 3e-4, "--w": 8}),
        ('flags.DEFINE_integer("seed", 3, "")', {}),
        ('p.add_argument("-lr", default=0.1)\np.add_argument("-b", "-batch", default=8)', {"-lr": 0.1, "-batch": 8}),
        ('p.add_argument("-w", "--width", default=8)', {"--width": 8}),
        ("def main():\n    lr, depth = 3e-4, 4\n    seed = 7\n    step = 0\n    best = 9.0\n    best = lr",
         {"main.lr": 3e-4, "main.depth": 4}),
        ("def main():\n    for rate in x:\n        width = 8", {}),
        ("class Net:\n    def __init__(self):\n        size: int = 3", {"Net.size": 3}),
        ("def f(lr=0.1):\n    lr = 0.2", {}),
        ('if __name__ == "__main__":\n    lr = 0.1\n    WIDTH = 8\n    n = 3\n    n += 1', {"lr": 0.1, "WIDTH": 8}),
        ('num_seeds = {"short": 3}', {}),
        ("_C = CN()\n_C.SOLVER.LR = 1e-3\n_C.TEST.SIZE = 5\n_C.X = 0\nmodel.width = 3", {"_C.SOLVER.LR": 1e-3}),
        ("sampling = config.sampling = ml.ConfigDict()\nsampling.snr = 0.2\nevaluate = ConfigDict()\nevaluate.size = 9",
         {"sampling.snr": 0.2}),
        ("def get():\n    config.lr = 0.1\n    cfg.a = 1\n    cfg.a = 2", {"config.lr": 0.1}),
        ("hidden_dim, input_dim = 64, 8\ndef f(dim=2): pass", {"hidden_dim": 64}),
        ("epsilon = 0.3\ndef g(epsilon=1e-8): pass", {"epsilon": 0.3}),
        ('@click.option("--lr", default=0.1)\n@click.option("--name", default="x")\ndef f(lr): pass', {"--lr": 0.1}),
    ],
)  # fmt: skip
def test_numbers_that_a_program_names_are_constants(source: str, expected: dict[str, float]) -> None:
    assert {name: one.value for name, one in find_constants(source).items()} == expected
