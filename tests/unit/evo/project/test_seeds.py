"""How a program takes its seed, as many programs do."""

from __future__ import annotations

from pathlib import Path

import pytest
from script_runs import write_files

from evo.project.examine import examine
from evo.project.found import Found
from evo.project.writing import config_text, refuse_invalid

ENV = "class Env:\n    def __init__(self, seed):\n        self.source = Random(seed)\n\n"
LOSS = 'print(f"val_loss: {0.5:.3f}")\n'


def look(folder: Path, train: str, others: dict[str, str] | None = None) -> Found:
    found = examine(write_files(folder / "project", {"train.py": train + LOSS, **(others or {})}), home=folder)
    refuse_invalid(config_text(found, folder, "program.md"), found)
    return found


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("import torch\ntorch.manual_seed(42)\n", ["torch.manual_seed()"]),
        ("SEED = 42\ntorch.manual_seed(SEED)\n", ["torch.manual_seed()"]),
        ("torch.manual_seed(1337 + offset)\n", ["torch.manual_seed()"]),
        ("random.seed(0)\nnp.random.seed(0)\n", ["random.seed()", "np.random.seed()"]),
        ("rng = np.random.default_rng(0)\n", ["np.random.default_rng()"]),
        ("key = jax.random.PRNGKey(0)\n", ["jax.random.PRNGKey()"]),
        ("key = jax.random.key(0)\n", ["jax.random.key()"]),
        ("L.seed_everything(42, workers=True)\n", ["L.seed_everything()"]),
        ("set_seed(42)\n", ["set_seed()"]),
        ("def set_seed(seed=7):\n    np.random.seed(seed)\n\nset_seed()\n", ["set_seed.seed"]),
        ("rngs = nnx.Rngs(0)\n", ["nnx.Rngs()"]),
        ("rng = np.random.Generator(np.random.Philox(3))\n", ["np.random.Philox()"]),
        ("rng = np.random.default_rng([1, 2])\n", ["np.random.default_rng()"]),
        ("random.seed(-1)\nrandom.seed(kept := 3)\n", ["random.seed()"]),
        ('params = {"bagging_seed": 3, "split_seed": 4}\n', ["bagging_seed="]),
        ("differential_evolution(loss, bounds, rng=4)\n", ["rng="]),
        ("g = torch.Generator().manual_seed(3)\n", ["manual_seed()"]),
        ("m = RandomForestClassifier(random_state=42)\n", ["random_state="]),
        ("a = train_test_split(x, random_state=1)\nm = SVC(random_state=2)\n", ["random_state="]),
        ('xgb.train({"eta": 0.1, "seed": 42}, d)\n', ["seed="]),
        ("@dataclass\nclass Args:\n    seed: int = 1\n\nargs = tyro.cli(Args)\n", ["Args.seed"]),
        ("def main(lr: float = 1.0, seed: int = 42):\n    pass\n\nfire.Fire(main)\n", ["main.seed"]),
        ("def main(seed: int = typer.Option(42)):\n    pass\n", ["main.seed"]),
        ("seed = 42\nenv.reset(options=seed)\n", ["seed"]),
        ("class Env:\n    def __init__(self, size, seed):\n        pass\n\nenv = Env(5, 42)\n", ["Env()"]),
        ("def make_env(name, seed):\n    pass\n\nenv = make_env('maze', 1)\n", ["make_env()"]),
        ("obs, _ = env.reset(seed=42)\n", ["seed="]),
        ("a = train_test_split(x, random_state=1)\n", []),
        ("SEED = 1\na = train_test_split(x, random_state=SEED)\n", []),
        ("folds = KFold(5, random_state=1)\n", []),
        ("SEED = 1\nfor fold in enumerate(KFold(5, random_state=SEED).split(x)):\n    pass\n", []),
        ("def make_data():\n    return default_rng(1).normal(9)\n", []),
        ("def make_data():\n    return default_rng(1).normal(9)\n\nrng = default_rng(2)\n", ["default_rng()"]),
        ("torch.manual_seed(time.time_ns())\n", []),
    ],
)
def test_literals(text: str, places: list[str], tmp_path: Path) -> None:
    found = look(tmp_path, text)
    assert found.seeds == tuple(f"train.py:{place}" for place in places)
    assert (found.seed is None) == (not places)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("rng = default_rng(0)\nx = default_rng(1).normal(9)\nw = rng.normal()\n", ["rng"]),
        ("seed(3)\ndef points():\n    r = Random(5)\n    return r.random()\nx = points()\nw = random()\n", ["seed()"]),
        ("def points():\n    return Random(5).random()\ndef main():\n    r = Random(7)\nx = points()\n", ["main.r"]),
        ("torch.manual_seed(3)\nx = Generator().manual_seed(4).x()\n", ["torch.manual_seed()"]),
        ("source = Random(5)\nx = source.random()\nw = source.random()\n", ["Random()"]),
        (f"{ENV}w = learn(Env(7))\nx = play(w, Env(1000))\n", ["w"]),
        (f"{ENV}env = Env(7)\nw = learn(env)\nx = play(w, Env(1000))\n", ["env"]),
        ("s, _ = env.reset(seed=42)\nw = learn(s)\no, _ = probe.reset(seed=1)\nx = run(w, o)\n", ["env.reset.seed="]),
        ("s, _ = env.reset(seed=42)\nw = learn(s)\no, _ = env.reset(seed=1)\nx = run(w, o)\n", []),
    ],
)
def test_what_makes_the_data_that_are_scored_keeps_its_seed(text: str, places: list[str], tmp_path: Path) -> None:
    files = {"train.py": f"{text}error = abs(x - 0.5)\nprint('val_error:', error)\n"}
    found = examine(write_files(tmp_path / "project", files), home=tmp_path)
    assert found.seeds == tuple(f"train.py:{place}" for place in places)


def test_a_benchmark_keeps_its_seed(tmp_path: Path) -> None:
    files = {"kernel.py": "WIDTH = 3\n", "bench.py": "import random\nimport kernel\nrng = random.Random(2)\n" + LOSS}
    found = examine(write_files(tmp_path / "project", files), home=tmp_path)
    assert (found.genome, found.command, found.seeds) == (("kernel.py",), ("python", "bench.py"), ())


@pytest.mark.parametrize("flag", ["--seed", "--random-state", "--manualSeed", "--rng_seed", "--torch-seed"])
def test_flags(flag: str, tmp_path: Path) -> None:
    found = look(tmp_path, f"parser.add_argument({flag!r}, type=int, default=42)\ntorch.manual_seed(42)\n")
    assert (found.command, found.seeds) == (("python", "train.py", flag, "{seed}"), ())


def test_a_flag_for_the_division_of_data_is_none(tmp_path: Path) -> None:
    found = look(tmp_path, "parser.add_argument('--split-seed', type=int, default=42)\n")
    assert found.command == ("python", "train.py")


@pytest.mark.parametrize("read", ['os.environ.get("SEED", 42)', 'os.getenv("RANDOM_SEED", "0")', 'os.environ["SEED"]'])
def test_environment_variables(read: str, tmp_path: Path) -> None:
    found = look(tmp_path, f"torch.manual_seed(int({read}))\n")
    name = "RANDOM_SEED" if "RANDOM" in read else "SEED"
    assert (found.command, found.seeds) == (("env", f"{name}={{seed}}", "python", "train.py"), ())


@pytest.mark.parametrize(
    ("read", "flag"),
    [
        ('parser.add_argument("-s", type=int, default=3, dest="seed")\n', "-s"),
        ('flags.DEFINE_integer("seed", 3, "of all generators")\n', "--seed"),
    ],
)
def test_a_flag_by_where_its_value_goes(tmp_path: Path, read: str, flag: str) -> None:
    assert look(tmp_path, read).command == ("python", "train.py", flag, "{seed}")


def test_a_flag_that_a_module_declares_is_the_programs_and_that_of_another_program_is_not(tmp_path: Path) -> None:
    declared = "import argparse\n\ndef arguments():\n    p = argparse.ArgumentParser()\n    p.add_argument('-seed')\n"
    train = "import torch\nfrom options import arguments\n\narguments()\ntorch.manual_seed(4)\n"
    assert look(tmp_path / "a", train, {"options.py": declared}).seed == "-seed"
    program = declared + '\nif __name__ == "__main__":\n    arguments()\n'
    assert look(tmp_path / "b", train, {"options.py": program}).seed == "train.py:torch.manual_seed()"


def test_evo_seed_goes_before_literals(tmp_path: Path) -> None:
    found = look(tmp_path, 'SEED = int(os.environ.get("EVO_SEED", 0))\ntorch.manual_seed(42)\n')
    assert (found.seed, found.command, found.seeds) == ("EVO_SEED", ("python", "train.py"), ())


def test_hydra_takes_it_as_a_word(tmp_path: Path) -> None:
    text = '@hydra.main(config_path=".", config_name="config.yaml")\ndef run(c):\n    torch.manual_seed(c.seed)\n'
    found = look(tmp_path, text, {"config.yaml": "lr: 0.1\nseed: 42\n"})
    assert found.command == ("python", "train.py", "seed={seed}")


def test_a_settings_file_that_the_program_reads(tmp_path: Path) -> None:
    text = 'config = yaml.safe_load(open("config.yaml"))\ntorch.manual_seed(config["seed"])\n'
    found = look(tmp_path, text, {"config.yaml": "lr: 0.1\nseed: 42\n"})
    assert found.seeds == ("config.yaml:seed",)


def test_a_program_that_starts_the_genome_may_hold_it_and_a_module_for_data_may_not(tmp_path: Path) -> None:
    others = {
        "model.py": "WIDTH = 8\n",
        "prepare.py": "rng = np.random.default_rng(0)\n",
        "main.py": "import model\nimport prepare\ntorch.manual_seed(42)\n" + LOSS,
        "program.md": "Modify only `model.py`.\n",
    }
    found = examine(write_files(tmp_path / "project", others), home=tmp_path)
    assert (found.genome, found.seeds) == (("model.py",), ("main.py:torch.manual_seed()",))


def test_a_file_of_settings_replaces_defaults_and_another_file_may_make_the_data(tmp_path: Path) -> None:
    files = {
        "config.yml": "lr: 0.1\nepochs: 3\nhidden: 8\nseed: 0\n",
        "settings.py": """
            import yaml
            class Settings:
                lr = 0.01
                epochs = 1
                hidden = 4
                seed = 5
            cfg = Settings(yaml.safe_load(open("config.yml")))
            """,
        "main.py": """
            import torch
            from settings import cfg
            torch.manual_seed(cfg.seed)
            g = torch.Generator().manual_seed(1234)
            x = torch.randn(9, generator=g)
            net = fit(torch.nn.Linear(1, cfg.hidden))
            print("val_mse:", mse(net, x))
            """,
    }
    found = examine(write_files(tmp_path / "project", files), home=tmp_path)
    assert found.genome == ("config.yml",)
    assert found.seeds == ("settings.py:Settings.seed", "config.yml:seed")
