"""How long a serving process may take once it has the weights: the time of a few forward passes, no training.

A genome could carry training text in its weights and go on training while it is scored. So loading and every answer are
timed on the budget's clock, over all processes of the candidate, and held against two measurements that no candidate
makes: what generation 0 takes for the same, and what this genome's own forward pass took before it had any weights.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from safetensors.torch import load, save

from trainer.evaluation import Budget, Clock
from trainer.scoring.probes import Ints
from trainer.scoring.tolerance import build_generation_zero
from trainer.settings import Settings

_OWN_MARGIN = 3.0
"""Of a genome's own forward pass: memory and caches are shared with other evaluations, on a GPU its units too."""
_REFERENCE_MARGIN = 10.0
"""Of generation 0's: how much dearer a model may be to run."""
_BUDGET_SHARE = 0.1
"""Of the training budget, where that is more: what no model that had time to train exceeds."""
_GRACE_SECONDS = {Clock.CPU: 0.5, Clock.WALL: 5.0}
_PASSES = 3


@dataclass(frozen=True, slots=True)
class ServingCost:
    """What generation 0 takes, in seconds of the budget's clock: to load its weights, and to answer one batch."""

    loading: float
    answer: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a genome's serving process may take, in seconds of the budget's clock.

    Attributes:
        reference: what generation 0 takes.
        forward: what one batch took before the weights came.
    """

    budget: Budget
    reference: ServingCost
    forward: float

    def loading(self) -> float:
        """To load the weights, and to answer one batch with them."""
        return self._grace + _REFERENCE_MARGIN * self.reference.loading + self._answers(1)

    def answering(self, batches: int) -> float:
        """To answer the batches that are scored, all together."""
        return self._grace + self._answers(batches)

    @property
    def _grace(self) -> float:
        return _GRACE_SECONDS[self.budget.clock]

    def _answers(self, batches: int) -> float:
        most = max(_REFERENCE_MARGIN * self.reference.answer * batches, _BUDGET_SHARE * self.budget.train_seconds)
        return min(_OWN_MARGIN * self.forward * batches, most)


def measure_serving(settings: Settings, vocab_size: int, tokens: Ints) -> ServingCost:
    """Return what generation 0 takes at the size that it has here, for a batch of tokens of shape (rows, T)."""
    device = torch.device(settings.device)
    now = time.process_time if settings.budget.clock is Clock.CPU else time.monotonic
    with torch.random.fork_rng(), torch.inference_mode():
        model = build_generation_zero(settings, vocab_size, device).to(device)
        saved = save(model.state_dict())
        began = now()
        model.load_state_dict(load(saved))
        loading = now() - began
        answers = []
        for _ in range(_PASSES):
            began = now()
            model(torch.from_numpy(tokens).to(device)).cpu()
            answers.append(now() - began)
    return ServingCost(loading, min(answers))
