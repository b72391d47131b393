"""The tolerance of probes is measured on this machine, the same way each time."""

from __future__ import annotations

from pathlib import Path

import torch

from trainer.evaluation import Budget, Clock
from trainer.scoring.tolerance import measure_tolerance
from trainer.settings import Settings


def test_generation_zero_tells_what_rounding_may_move() -> None:
    settings = Settings(corpus=Path(), device="cpu", budget=Budget(1.0, Clock.CPU), sequence_length=32, score_tokens=1)
    tokens = torch.randint(300, (16, 32), generator=torch.Generator().manual_seed(0))
    before = torch.get_rng_state()

    tolerance = measure_tolerance(settings, 300, tokens)

    assert 0.02 < tolerance.move_nats < 1.0
    assert 0.01 < tolerance.drift_nats < tolerance.move_nats
    assert measure_tolerance(settings, 300, tokens) == tolerance
    assert torch.equal(before, torch.get_rng_state())
