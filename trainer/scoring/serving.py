"""What a serving process is given: weights of a bounded size, and once it has them the time of a few forward passes.

A genome could carry training text in its weights and go on training while it is scored. So loading and every answer are
timed on the budget's clock, over all processes of the candidate, and held against two measurements that no candidate
makes: what generation 0 takes for the same, and what this genome's own forward pass took before it had any weights.
What it has used is looked at after every answer, so that no time can be saved up for training at the beginning.
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
_GRACE_SECONDS = {Clock.CPU: 0.2, Clock.WALL: 5.0}
WEIGHTS_MARGIN = 64
"""How many times generation 0's weights a genome's own may be: hashed counts of n-grams have brought a gain with 29."""
_NUMBER_BYTES = 8  # the widest: a model may be saved in double precision
_NAME_BYTES = 256  # in the header, beside the name itself
_HEADER_BYTES = 4096
_PASSES = 3


@dataclass(frozen=True, slots=True)
class ServingCost:
    """What generation 0 takes.

    Attributes:
        loading: seconds of the budget's clock to load its weights.
        answer: seconds to answer one batch.
        weights_bytes: size of its weights file.
    """

    loading: float
    answer: float
    weights_bytes: int


@dataclass(frozen=True, slots=True)
class State:
    """What a model that was built without weights has room for.

    Attributes:
        numbers: in all of its parameters and buffers.
        tensors: how many those are.
        name_bytes: of their names, together.
    """

    numbers: int
    tensors: int
    name_bytes: int

    @property
    def weights_bytes(self) -> int:
        """The largest weights file that holds nothing else."""
        # Where tensors are shared the header says so, and has a name twice.
        return _HEADER_BYTES + _NUMBER_BYTES * self.numbers + _NAME_BYTES * self.tensors + 4 * self.name_bytes


def excess(weights_bytes: int, state: State, reference: ServingCost) -> str:
    """Return in which way a weights file is too large; empty where it is not."""
    mib = f"{weights_bytes / 2**20:.4g} MiB"
    if weights_bytes > state.weights_bytes:
        return f"of {mib}, but the model that it builds has room for {state.numbers} numbers"
    most = WEIGHTS_MARGIN * reference.weights_bytes
    if weights_bytes > most:
        return f"of {mib}, but {WEIGHTS_MARGIN} times generation 0's are allowed, {most / 2**20:.4g} MiB"
    return ""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a genome's serving process may take, in seconds of the budget's clock.

    Attributes:
        reference: what generation 0 takes.
        forward: what one batch took before the weights came.
        batches: to be answered with them.
    """

    budget: Budget
    reference: ServingCost
    forward: float
    batches: int

    def until(self, answers: int) -> float:
        """To load the weights, and to give the first so many answers with them."""
        most = max(_REFERENCE_MARGIN * self.reference.answer, _BUDGET_SHARE * self.budget.train_seconds / self.batches)
        grace = _GRACE_SECONDS[self.budget.clock] + _REFERENCE_MARGIN * self.reference.loading
        return grace + answers * min(_OWN_MARGIN * self.forward, most)


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
    return ServingCost(loading, min(answers), len(saved))
