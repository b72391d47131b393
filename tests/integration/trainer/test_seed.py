"""Generation 0 keeps the contract of the language-model task, and learns within small budgets."""

from __future__ import annotations

import ast
import math
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import trainer
from trainer.seed import train as seed
from trainer.task import Task

GENOME = Path(trainer.__file__).parent / "seed" / "train.py"
VOCAB_SIZE = 256
LENGTH = 32


class CpuClock:
    """A host in this process: hands out tokens and reads the clock of the process."""

    def __init__(self, tokens: torch.Tensor, budget_seconds: float) -> None:
        self.tokens = tokens
        self.budget_seconds = budget_seconds
        self.started: float | None = None
        self.curve: list[tuple[int, float]] = []
        self.tokens_used: int | None = None

    def seconds_left(self) -> float:
        if self.started is None:
            return self.budget_seconds
        return self.budget_seconds - (time.process_time() - self.started)

    def train_tokens(self) -> torch.Tensor:
        self.started = self.started or time.process_time()
        return self.tokens

    def log(self, step: int, loss: float, tokens: int | None) -> None:
        self.curve.append((step, loss))
        self.tokens_used = tokens


class CountedClock(CpuClock):
    """A clock that moves a fixed share at every reading, so that training takes the same steps each time."""

    def __init__(self, tokens: torch.Tensor, readings: int) -> None:
        super().__init__(tokens, 1.0)
        self.readings = readings
        self.read = 0

    def seconds_left(self) -> float:
        self.read += self.started is not None
        return 1.0 - self.read / self.readings


def walk(count: int, seed_number: int = 0) -> torch.Tensor:
    """Return tokens in which the next one depends on the last: shape (count,), int32."""
    generator = np.random.default_rng(seed_number)
    steps = generator.choice([1, 1, 1, 5, 17], count)
    return torch.from_numpy(np.cumsum(steps) % VOCAB_SIZE).to(torch.int32)


def make_task(host: CpuClock | None = None, **changes: object) -> Task:
    host = host or CpuClock(walk(5000), 2.0)
    values = {"vocab_size": VOCAB_SIZE, "sequence_length": LENGTH, "seed": 3, "budget_seconds": host.budget_seconds}
    return Task(device=torch.device("cpu"), host=host, **{**values, **changes})  # type: ignore[arg-type]


def awake_model(task: Task) -> torch.nn.Module:
    """Return a model whose zero-initialised matrices are filled, so that every path carries a signal."""
    torch.manual_seed(0)
    model = seed.build_model(task)
    with torch.no_grad():
        for weight in model.parameters():
            if not weight.any():
                weight.normal_(std=0.3)
    return model.eval()


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(("vocab_size", "length"), [(50, 16), (300, 33), (2048, 128), (8192, 256)])
@pytest.mark.parametrize("budget_seconds", [2.0, 10.0, 300.0])
def test_logits_have_the_shape_of_the_contract(vocab_size: int, length: int, budget_seconds: float) -> None:
    model = seed.build_model(
        make_task(vocab_size=vocab_size, sequence_length=length, budget_seconds=budget_seconds)
    ).eval()
    for shape in [(3, length), (1, length), (2, length // 2), (1, 1)]:
        logits = model(torch.randint(vocab_size, shape))
        assert logits.shape == (*shape, vocab_size)
        assert logits.dtype == torch.float32


@pytest.mark.parametrize("position", [0, 1, 2, 13, LENGTH - 1])
@pytest.mark.parametrize("budget_seconds", [10.0, 300.0])
def test_a_later_token_does_not_change_earlier_logits(position: int, budget_seconds: float) -> None:
    model = awake_model(make_task(budget_seconds=budget_seconds))
    tokens = torch.randint(VOCAB_SIZE, (4, LENGTH))
    changed = tokens.clone()
    changed[:, position] = (changed[:, position] + 1) % VOCAB_SIZE
    with torch.inference_mode():
        before, after = model(tokens), model(changed)
    torch.testing.assert_close(after[:, :position], before[:, :position])
    assert not torch.allclose(after[:, position], before[:, position])


def test_batch_mates_and_earlier_calls_do_not_change_an_answer() -> None:
    model = awake_model(make_task())
    tokens = torch.randint(VOCAB_SIZE, (8, LENGTH))
    with torch.inference_mode():
        together = model(tokens)
        alone = torch.cat([model(row[None]) for row in tokens.flip(0)]).flip(0)
    torch.testing.assert_close(alone, together)


def test_it_learns_more_than_frequencies_within_two_seconds_and_stops_in_time() -> None:
    torch.manual_seed(0)
    host = CpuClock(walk(200_000), 2.0)
    model = seed.build_model(make_task(host))
    seed.train(model, make_task(host))
    left = host.seconds_left()
    assert -0.25 < left < 0.5
    held_out = walk(65 * 100, 1).long().view(100, 65)[:, : LENGTH + 1]
    with torch.inference_mode():
        logits = model.eval()(held_out[:, :-1])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), held_out[:, 1:].flatten()).item()
    assert loss < 0.5 * math.log(VOCAB_SIZE)  # the walk's tokens are equally frequent
    assert len(host.curve) > 10
    assert host.curve[-1][1] < host.curve[0][1]
    assert host.tokens_used == len(host.curve) * model.scale.batch_rows * LENGTH


@pytest.mark.parametrize("budget_seconds", [0.05, 0.3])
def test_tiny_budgets_end_in_time(budget_seconds: float) -> None:
    host = CpuClock(walk(5000), budget_seconds)
    seed.train(seed.build_model(make_task(host)), make_task(host))
    assert host.seconds_left() > -0.25


def test_a_small_corpus_ends_training_early() -> None:
    host = CpuClock(walk(2000), 30.0)
    seed.train(seed.build_model(make_task(host)), make_task(host))
    assert host.seconds_left() > 25.0


def test_a_corpus_shorter_than_a_block_is_refused() -> None:
    host = CpuClock(walk(LENGTH), 2.0)
    with pytest.raises(ValueError, match=f"more than {LENGTH} tokens, but there are {LENGTH}"):
        seed.train(seed.build_model(make_task(host)), make_task(host))


def trained_weights(seed_number: int) -> list[torch.Tensor]:
    torch.manual_seed(seed_number)
    host = CountedClock(walk(5000), 12)
    task = make_task(host, seed=seed_number)
    model = seed.build_model(task)
    seed.train(model, task)
    return [weight.detach() for weight in model.parameters()]


def test_the_seed_decides_everything() -> None:
    first, again, other = trained_weights(1), trained_weights(1), trained_weights(2)
    assert all(torch.equal(left, right) for left, right in zip(first, again, strict=True))
    assert not all(torch.equal(left, right) for left, right in zip(first, other, strict=True))


def test_constants_are_literals_and_imports_are_the_allowed_ones() -> None:
    tree = ast.parse(GENOME.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.isupper()
    }
    assert len(constants) > 20
    for value in constants.values():
        assert isinstance(ast.literal_eval(value), int | float)
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {
        "collections.abc", "importlib.util", "math", "shutil", "torch", "torch.nn", "torch.optim", "trainer.task",
        "typing",
    }  # fmt: skip


def test_every_constant_of_this_device_matters() -> None:
    source = GENOME.read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            assert source.count(node.targets[0].id) >= 2, node.targets[0].id
