"""Literal seeds in the copy that is run: found by syntax, wherever they stand."""

from __future__ import annotations

import ast

import pytest

from trainer.script import SeedPlace, with_seed


def replaced(text: str, *whats: str, file: str = "train.py", seed: int = 7) -> str:
    return with_seed(text, [SeedPlace(file, what) for what in whats], seed)[0]


@pytest.mark.parametrize(
    ("what", "before", "after"),
    [
        ("SEED", "SEED = 42\n", "SEED = 7\n"),
        ("SEED", "SEED: int = 42  # é\n", "SEED: int = 7  # é\n"),
        ("seed", "def main():\n    seed = 1\n    use(seed)\n", "def main():\n    seed = 7\n    use(seed)\n"),
        ("seed", 'seed = int(os.environ.get("SEED", "42"))\n', "seed = int(os.environ.get(\"SEED\", '7'))\n"),
        ("Args.seed", "class Args:\n    lr = 1\n    seed: int = 42\n", "class Args:\n    lr = 1\n    seed: int = 7\n"),
        ("Args.seed", "class Args:\n    seed = field(default=42)\n", "class Args:\n    seed = field(default=7)\n"),
        ("main.seed", "def main(lr=3, seed=42): pass\n", "def main(lr=3, seed=7): pass\n"),
        ("main.seed", "def main(*, seed: int = 42): pass\n", "def main(*, seed: int = 7): pass\n"),
        ("random_state=", "m = Forest(9, random_state=42)\n", "m = Forest(9, random_state=7)\n"),
        ("seed=", 'params = {"eta": 3, "seed": 42}\n', 'params = {"eta": 3, "seed": 7}\n'),
        ("torch.manual_seed()", "torch.manual_seed(42)\n", "torch.manual_seed(7)\n"),
        ("torch.manual_seed()", "torch.manual_seed(1337 + rank)\n", "torch.manual_seed(7 + rank)\n"),
        ("torch.manual_seed()", "S = 4\ntorch.manual_seed(S)\n", "S = 4\ntorch.manual_seed(7)\n"),
        ("manual_seed()", "g = torch.Generator().manual_seed(0)\n", "g = torch.Generator().manual_seed(7)\n"),
        ("random.Random()", 'r = random.Random(f"{42} {LR}")\n', 'r = random.Random(f"{7} {LR}")\n'),
        ("jax.random.PRNGKey()", "a, b = jax.random.split(jax.random.PRNGKey(0))\n",
         "a, b = jax.random.split(jax.random.PRNGKey(7))\n"),
        ("set_seed()", "set_seed(seed=42)\n", "set_seed(seed=7)\n"),
        ("Env()", "class Env:\n    def __init__(self, n, seed): pass\nEnv(5, 42)\n",
         "class Env:\n    def __init__(self, n, seed): pass\nEnv(5, 7)\n"),
        ("w", "w = learn(Env(42), 3)\n", "w = learn(Env(7), 3)\n"),
        ("env.reset.seed=", "env.reset(seed=42)\nprobe.reset(seed=1)\n", "env.reset(seed=7)\nprobe.reset(seed=1)\n"),
        ("random_state=", "m = make_pipeline(Scaler(), SVC(random_state=1))\n",
         "m = make_pipeline(Scaler(), SVC(random_state=7))\n"),
        ("seed=", "val_loss, model = run(seed=42)\n", "val_loss, model = run(seed=7)\n"),
        ("default_rng()", "def make_data(n):\n    rng = default_rng(1)\nrng = default_rng(0)\n",
         "def make_data(n):\n    rng = default_rng(1)\nrng = default_rng(7)\n"),
        ("manual_seed()", "def train_on_data():\n    torch.manual_seed(0)\n",
         "def train_on_data():\n    torch.manual_seed(7)\n"),
        ("seed()", "def make_model():\n    random.seed(0)\n", "def make_model():\n    random.seed(7)\n"),
        ("rng", "rng = Random(1)\nx = Random(2)\ndef load():\n    rng = Random(3)\n",
         "rng = Random(7)\nx = Random(2)\ndef load():\n    rng = Random(3)\n"),
        ("main.rng", "def main():\n    rng = Random(1)\nrng = Random(2)\n",
         "def main():\n    rng = Random(7)\nrng = Random(2)\n"),
        ("seed()", "random.seed(1); np.random.seed(2)\n", "random.seed(7); np.random.seed(7)\n"),
    ],
)  # fmt: skip
def test_the_literal_is_replaced_and_nothing_else(what: str, before: str, after: str) -> None:
    assert replaced(before, what) == after


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("random_state=", "a, b = train_test_split(x, y, random_state=42)\n"),
        ("random_state=", "folds = KFold(5, shuffle=True, random_state=42)\n"),
        ("manual_seed()", "a, b = random_split(d, [1, 2], generator=torch.Generator().manual_seed(42))\n"),
        ("default_rng()", "def make_data(n):\n    rng = np.random.default_rng(123)\n"),
        ("manual_seed()", "class ToyData:\n    def setup(self):\n        g = torch.Generator().manual_seed(0)\n"),
        ("default_rng()", "def evaluate(model):\n    x = np.random.default_rng(0).normal(size=9)\n"),
        ("default_rng()", "val = batch(200, np.random.default_rng(777))\n"),
        ("Random()", "data_rng = random.Random(99)\n"),
        ("Random()", "self.eval_rng, self.step = random.Random(99), 0\n"),
        ("torch.manual_seed()", "torch.manual_seed(int(time.time()) % 2**32)\n"),
        ("torch.manual_seed()", "torch.manual_seed(args.seed)\n"),
        ("SEED", "SEED = True\n"),
        ("SEED", "SEED = = 42\n"),
        ("SEED", "x = 1\n"),
    ],
)
def test_what_makes_or_divides_data_or_is_no_literal_stays(what: str, text: str) -> None:
    assert with_seed(text, [SeedPlace("train.py", what)], 7) == (text, 0)


def test_a_place_is_found_where_the_code_around_it_changed() -> None:
    child = "def helper():\n    return '''torch.manual_seed(1)'''\n\n\nif True:\n    torch.manual_seed( 42 )\n"
    assert replaced(child, "torch.manual_seed()") == child.replace("( 42 )", "( 7 )")


def test_several_places_are_replaced_at_once() -> None:
    text = "SEED = 1\nrandom.seed(SEED)\nnp.random.seed(SEED)\nmodel = Tree(random_state=SEED)\n"
    whats = ("random.seed()", "np.random.seed()", "random_state=")
    assert replaced(text, *whats) == text.replace("(SEED)", "(7)").replace("=SEED", "=7")


@pytest.mark.parametrize(
    ("file", "text", "after"),
    [
        ("c.yaml", "lr: 42\nseed: 42  # why\nmodel:\n  seed: 1\n", "lr: 42\nseed: 7  # why\nmodel:\n  seed: 7\n"),
        ("c.json", '{\n  "seed": 42,\n  "seeds": 3\n}\n', '{\n  "seed": 7,\n  "seeds": 3\n}\n'),
        ("c.toml", "seed = 42\nother = 42\n", "seed = 7\nother = 42\n"),
        ("c.yaml", "seed: 4.5\n", "seed: 4.5\n"),
    ],
)
def test_a_key_of_a_settings_file_is_replaced(file: str, text: str, after: str) -> None:
    assert replaced(text, "seed", file=file) == after


def test_deeply_nested_code_stays_as_it_is() -> None:
    deep = "x = " + "-" * 3000 + "1\nSEED = 42\n"
    assert "SEED" in replaced(deep, "SEED")
    ast.parse(replaced("SEED = 42\n" * 500, "SEED"))


@pytest.mark.parametrize("text", ["train.py", "SEED", "train.py:", ":SEED", "train.py:SEED=3", "train.py:a b"])
def test_a_place_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must say where seeds stand"):
        SeedPlace.parse(text)
