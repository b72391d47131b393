"""The textbook genome keeps the contract of the language-model task, and leaves much to be found."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import torch

from operators.source.constants import find_constants, replace_constants
from trainer.genome import built_in
from trainer.seed import textbook
from trainer.task import Task

VOCAB_SIZE, LENGTH = 256, 32


class Clock:
    """A host in this process: hands out tokens and reads the CPU time of the process."""

    def __init__(self, budget_seconds: float) -> None:
        steps = np.random.default_rng(0).choice([1, 1, 1, 5, 17], 20_000)
        self.tokens = torch.from_numpy(np.cumsum(steps) % VOCAB_SIZE).to(torch.int32)
        self.budget_seconds = budget_seconds
        self.started: float | None = None
        self.losses: list[float] = []

    def seconds_left(self) -> float:
        return self.budget_seconds - (time.process_time() - self.started if self.started is not None else 0.0)

    def train_tokens(self) -> torch.Tensor:
        self.started = time.process_time()
        return self.tokens

    def log(self, step: int, loss: float, tokens: int | None) -> None:
        assert tokens == step * textbook.BATCH_SIZE * LENGTH
        self.losses.append(loss)


def make_task(host: Clock) -> Task:
    return Task(torch.device("cpu"), VOCAB_SIZE, LENGTH, seed=3, budget_seconds=host.budget_seconds, host=host)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_logits_have_the_shape_of_the_contract_and_see_no_later_token() -> None:
    model = textbook.build_model(make_task(Clock(1.0))).eval()
    tokens = torch.randint(VOCAB_SIZE, (3, LENGTH))
    changed = tokens.clone()
    changed[:, 13] = (changed[:, 13] + 1) % VOCAB_SIZE
    with torch.inference_mode():
        before, after, short = model(tokens), model(changed), model(tokens[:1, :5])
    assert before.shape == (3, LENGTH, VOCAB_SIZE)
    torch.testing.assert_close(after[:, :13], before[:, :13])
    torch.testing.assert_close(short, before[:1, :5])
    assert not torch.allclose(after[:, 13], before[:, 13])


def test_it_learns_and_ends_in_time() -> None:
    torch.manual_seed(0)
    host = Clock(1.5)
    task = make_task(host)
    textbook.train(textbook.build_model(task), task)
    assert host.seconds_left() > -0.5
    assert host.losses[-1] < host.losses[0] < 1.1 * math.log(VOCAB_SIZE)


def test_every_constant_can_move_and_is_used() -> None:
    source = built_in("textbook")
    constants = find_constants(source)
    assert {"LEARNING_RATE", "BATCH_SIZE", "LAYERS", "WIDTH", "HEADS"} <= set(constants)
    for name in constants:
        assert source.count(name) > 1, name
    assert constants["HEADS"].choices == (1, 2, 4, 8)
    assert constants["ACTIVATION"].choices == ("relu", "gelu", "silu")
    assert replace_constants(source, {"LEARNING_RATE": 0.002}) != source
