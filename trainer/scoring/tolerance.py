"""What answers may differ by on this device, measured with generation 0.

To answer a block in another batch changes the order of sums, and so the errors of rounding. The coarsest ordinary
precision is bfloat16: no honest change of layout moves an answer by more than rounding everything to it does. That is
measured once a scorer: generation 0 at the size that it has here answers real text in float32, and in bfloat16 on the
device. The measured model is the trainer's own, so no candidate can widen what it is allowed.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import torch

from trainer.candidate import ServingHost
from trainer.scoring.probes import Tolerance
from trainer.settings import Settings
from trainer.task import Task

SEED_FILE = Path(__file__).parents[1] / "seed" / "train.py"

_MOVE_MARGIN = 2.0
"""Two answers are rounded, not one, and some models are deeper than generation 0."""
_DRIFT_MARGIN = 6.0
"""Standard deviations of one position: more than four of a difference between two."""
_LOGIT_SCALE = 3.0
"""Standard deviation of the logits of trained models; untrained, generation 0 gives zeros, which round to zeros."""


def measure_tolerance(settings: Settings, vocab_size: int, tokens: torch.Tensor) -> Tolerance:
    """Return the tolerance of this device, measured on real text: `tokens` of shape (rows, T), int64."""
    device = torch.device(settings.device)
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        model = build_generation_zero(settings, vocab_size, device)
        exact = model.cpu()(tokens).log_softmax(-1)
        rounded = model.to(device, torch.bfloat16)(tokens.to(device)).float().cpu().log_softmax(-1)
    moves = rounded - exact
    return Tolerance(
        move_nats=_MOVE_MARGIN * float(moves.abs().max()),
        drift_nats=_DRIFT_MARGIN * float(moves.square().mean().sqrt()),
    )


def build_generation_zero(settings: Settings, vocab_size: int, device: torch.device) -> torch.nn.Module:
    """Return generation 0 in evaluation mode at the size that it has here, with weights as if it had been trained."""
    task = Task(device, vocab_size, settings.sequence_length, 0, settings.budget.train_seconds, ServingHost())
    model: torch.nn.Module = _load_seed().build_model(task).eval()
    for name, weight in model.named_parameters():
        # What begins at zero would hide every block and the head.
        if weight.ndim == 2 and not weight.any():
            scale = _LOGIT_SCALE if name.startswith("head") else 1.0
            torch.nn.init.normal_(weight, std=scale / math.sqrt(weight.shape[1]))
    return model


def _load_seed() -> ModuleType:
    spec = importlib.util.spec_from_file_location("trainer_generation_zero", SEED_FILE)
    assert spec is not None  # noqa: S101 - a Python file that is part of the package
    assert spec.loader is not None  # noqa: S101 - likewise
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its classes look their module up by name
    spec.loader.exec_module(module)
    return module
