"""The early end of a training whose loss has exploded."""

from __future__ import annotations

import math

import pytest

from trainer.evaluation import Status
from trainer.supervisor.divergence import Divergence
from trainer.supervisor.watch import Ended

GUESS = math.log(1000)


def told(*losses: float) -> None:
    divergence = Divergence(1000)
    for step, loss in enumerate(losses):
        divergence.tell(step, loss)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_ends_at_once(loss: float) -> None:
    with pytest.raises(Ended, match="not a finite number at step 1") as end:
        told(GUESS, loss)
    assert end.value.status is Status.DIVERGED


def test_an_exploded_loss_ends_at_its_second_report() -> None:
    with pytest.raises(Ended, match=r"loss was 80 at step 3, beyond 69\.08: ten times") as end:
        told(GUESS, 6.0, 70.0, 80.0)
    assert end.value.status is Status.DIVERGED


@pytest.mark.parametrize(
    "losses",
    [
        pytest.param([GUESS, 70.0, 5.0, 70.0, 5.0], id="bad batches"),
        pytest.param([GUESS, 30.0, 40.0, 50.0], id="only bad"),
        pytest.param([GUESS * 4096, 20_000.0, 25_000.0], id="a sum over the batch"),
        pytest.param([0.0, 60.0, 60.0], id="nothing at first"),
    ],
)
def test_others_go_on(losses: list[float]) -> None:
    told(*losses)
