"""The programs of the worked examples stand alone: each does what its evo.toml says of it."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[3] / "evo" / "project" / "examples"
NAMES = ("digits", "kernel", "autoresearch", "prompt")


def program(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder of an example, with the folder above it as home."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "HOME": str(folder.parent), "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def output(folder: Path, *arguments: str, **environment: str) -> str:
    """Return what a program prints that must end well."""
    done = program(folder, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def task(name: str) -> dict[str, Any]:
    section: dict[str, Any] = tomllib.loads((EXAMPLES / name / "evo.toml").read_text())["task"]
    return section


def metric(name: str, objective: str, text: str) -> float:
    """Return the only number that the pattern of an objective finds."""
    (value,) = re.findall(task(name)["objectives"][objective]["pattern"], text, flags=re.MULTILINE)
    return float(value)


def copied(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / name, folder / name, ignore=shutil.ignore_patterns("*.np[yz]", "runs")))


def replaced(path: Path, *changes: tuple[str, str]) -> None:
    """Replace texts that each stand in a file once."""
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copied("digits", tmp_path_factory.mktemp("digits"))
    output(folder, "prepare.py", "0")
    return folder


@pytest.fixture(scope="module")
def autoresearch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copied("autoresearch", tmp_path_factory.mktemp("home"))
    replaced(folder / "prepare.py", ("TIME_BUDGET = 20 ", "TIME_BUDGET = 1.5 "), ("= 64 * 1024 ", "= 8 * 1024 "))
    output(folder, "prepare.py")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_configuration_names_files_that_are_there_or_that_prepare_makes(name: str) -> None:
    section = task(name)
    prepare = EXAMPLES / name / "prepare.py"
    made = prepare.read_text() if prepare.exists() else ""
    for path in (*section["genome"], *section["frozen"], *section.get("held_out", ())):
        assert (EXAMPLES / name / path).exists() or Path(path).name in made


def test_generation_zero_learns_digits(digits: Path) -> None:
    output(digits, *task("digits")["command"][1:], EVO_SEED="1")
    printed = output(digits, *task("digits")["score"][1:])
    assert 0.6 < metric("digits", "accuracy", printed) < 0.95


def test_digits_follow_the_seed(digits: Path) -> None:
    predictions = []
    for seed in ("1", "1", "2"):
        output(digits, "train.py", EVO_SEED=seed)
        predictions.append(np.load(digits / "predictions.npy"))
    assert np.array_equal(predictions[0], predictions[1])
    assert not np.array_equal(predictions[0], predictions[2])


def test_looking_digits_up_gives_no_better_than_chance(digits: Path) -> None:
    table = output(digits, "lookup.py")
    accuracies = dict(re.findall(r"^\| (.*) \| (0\.\d+) \|$", table, flags=re.MULTILINE))
    assert float(accuracies["take the label of the nearest image in scikit-learn's copy"]) < 0.25
    assert float(accuracies["train a support vector machine on scikit-learn's copy"]) < 0.25
    assert float(accuracies["a support vector machine on the 1,000 images"]) > 0.9
    readme = (EXAMPLES / "README.md").read_text()
    assert [line for line in table.splitlines() if line not in readme] == []


def test_another_secret_makes_other_digits(digits: Path, tmp_path: Path) -> None:
    folder = copied("digits", tmp_path)
    output(folder, "prepare.py")
    assert not np.array_equal(np.load(folder / "labels.npz")["labels"], np.load(digits / "labels.npz")["labels"])
    assert not np.array_equal(np.load(folder / "test.npz")["images"], np.load(digits / "test.npz")["images"])


@pytest.mark.parametrize("predictions", [None, np.zeros(3, int), np.zeros(797), np.array([{"a": 1}] * 797)])
def test_score_refuses_predictions_that_are_none(digits: Path, tmp_path: Path, predictions: np.ndarray | None) -> None:
    if predictions is not None:
        np.save(tmp_path / "predictions.npy", predictions)
    done = program(digits, "score.py", EVO_ARTIFACTS=str(tmp_path))
    assert done.returncode != 0
    assert done.stderr.startswith("predictions.npy must be an array of 797 integers, but it")
    assert done.stdout == ""


def test_more_rows_at_once_make_the_kernel_several_times_as_fast_and_leave_it_right(tmp_path: Path) -> None:
    folder = copied("kernel", tmp_path)
    command = task("kernel")["command"][1:]
    slow = output(folder, *command)
    replaced(folder / "kernel.py", ("ROWS_AT_ONCE = 1 ", "ROWS_AT_ONCE = 256 "))
    fast = output(folder, *command)
    assert 0 < metric("kernel", "seconds", fast) < metric("kernel", "seconds", slow) / 2
    assert all(0 <= metric("kernel", "max_error", printed) <= 1e-9 for printed in (slow, fast))


def kernel_that_returns(answer: str, folder: Path) -> Path:
    """Return a small copy of the kernel's example with another answer."""
    folder = copied("kernel", folder)
    replaced(folder / "bench.py", ("NODES = 240", "NODES = 60"), ("CALLS = 7", "CALLS = 2"))
    replaced(folder / "kernel.py", ("    return paths", f"    return {answer}"))
    return folder


@pytest.mark.parametrize(
    ("answer", "smallest"), [("paths.astype(np.float32)", 1e-9), ("paths * 1.1", 0.09), ("lengths", 1e5)]
)
def test_a_wrong_kernel_shows_its_error(tmp_path: Path, answer: str, smallest: float) -> None:
    assert metric("kernel", "max_error", output(kernel_that_returns(answer, tmp_path), "bench.py")) > smallest


def test_one_answer_that_is_no_number_is_not_hidden_by_the_others(tmp_path: Path) -> None:
    folder = kernel_that_returns("paths if CALLED.append(1) or len(CALLED) == 1 else paths * np.nan", tmp_path)
    replaced(folder / "kernel.py", ("ROWS_AT_ONCE = 1 ", "CALLED = []\nROWS_AT_ONCE = 1 "))
    assert math.isnan(metric("kernel", "max_error", output(folder, "bench.py")))


def test_a_kernel_without_an_array_is_refused(tmp_path: Path) -> None:
    done = program(kernel_that_returns("None", tmp_path), "bench.py")
    assert done.returncode != 0
    assert "must return an array of shape (60, 60)" in done.stderr


def prompt_scores(folder: Path) -> tuple[float, float]:
    """Return the accuracy over some seeds and the length of the prompt that an example's copy writes."""
    output(folder, *task("prompt")["command"][1:])
    printed = [output(folder, *task("prompt")["score"][1:], EVO_SEED=str(seed)) for seed in range(4)]
    accuracies = [metric("prompt", "accuracy", one) for one in printed]
    assert len(set(accuracies)) > 1, "the seed chooses the messages"
    return fmean(accuracies), metric("prompt", "prompt_characters", printed[0])


def test_more_examples_make_a_prompt_better_and_longer(tmp_path: Path) -> None:
    folder = copied("prompt", tmp_path)
    accuracy, length = prompt_scores(folder)
    replaced(folder / "prompt.py", ("EXAMPLES_A_LABEL = 1 ", "EXAMPLES_A_LABEL = 6 "))
    better, longer = prompt_scores(folder)
    assert 0.4 < accuracy < better - 0.2
    assert 4 < longer / length < 6


@pytest.mark.parametrize("prompt", [None, b"no place", b"{message} {message}", b"{message}" + 20_000 * b" ", b"\xff"])
def test_what_is_no_prompt_is_refused(tmp_path: Path, prompt: bytes | None) -> None:
    folder = copied("prompt", tmp_path)
    if prompt is not None:
        (folder / "prompt.txt").write_bytes(prompt)
    done = program(folder, *task("prompt")["score"][1:])
    assert done.returncode != 0
    assert done.stderr.startswith("prompt.txt must ")
    assert done.stdout == ""


def test_autoresearch_ends_with_the_summary_of_its_layout(autoresearch: Path) -> None:
    printed = output(autoresearch, *task("autoresearch")["command"][1:])
    summary = printed.partition("\n---\n")[2].splitlines()
    assert [line.partition(":")[0] for line in summary] == [
        *("val_bpb", "training_seconds", "total_seconds", "peak_vram_mb", "mfu_percent"),
        *("total_tokens_M", "num_steps", "num_params_M", "depth"),
    ]
    values = {line.partition(":")[0]: float(line.partition(":")[2]) for line in summary}
    assert metric("autoresearch", "val_bpb", printed) == values["val_bpb"]
    assert 1 < values["val_bpb"] < 4
    assert 1.5 <= values["training_seconds"] < values["total_seconds"]
    assert values["num_steps"] > 1


def test_the_time_in_evo_toml_is_that_of_prepare() -> None:
    prepare = (EXAMPLES / "autoresearch" / "prepare.py").read_text()
    (seconds,) = re.findall(r"^TIME_BUDGET = (\d+)", prepare, flags=re.MULTILINE)
    assert task("autoresearch")["fixed_seconds"] == float(seconds)


def test_autoresearch_measures_bits_per_byte(autoresearch: Path) -> None:
    """A model that knows nothing but the number of tokens has log2(vocabulary) bits a token."""
    check = (
        "import math, torch, prepare\n"
        "tokenizer = prepare.Tokenizer.from_directory()\n"
        "text = 'Fellow citizens, 1,024 dollars — naïve.\\n'\n"
        "assert tokenizer.decode(tokenizer.encode(text)) == text\n"
        "nats = math.log(tokenizer.get_vocab_size())\n"
        "model = lambda x, y, reduction: torch.full((y.numel(),), nats)\n"
        "first = prepare.evaluate_bpb(model, tokenizer, 32)\n"
        "assert math.isclose(first, prepare.evaluate_bpb(model, tokenizer, 64), rel_tol=1e-6)\n"
        "tokens = next(prepare.make_dataloader(tokenizer, 64, prepare.MAX_SEQ_LEN, 'val'))[1]\n"
        "tokens = tokens[tokens != tokenizer.get_bos_token_id()].tolist()\n"
        "text_bytes = sum(len(tokenizer.tokens[token]) for token in tokens)\n"
        "print(first, len(tokens) * 10 / text_bytes)\n"
    )
    measured, expected = output(autoresearch, "-c", check).split()
    assert float(measured) == pytest.approx(float(expected), rel=1e-6)
