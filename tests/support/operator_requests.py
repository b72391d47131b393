"""What classical operators are given in tests: the seed genome, three relatives of it, a gate that remembers."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import trainer
from operators.gate import SourceGate, language_model_contract
from operators.mutation.constants import ConstantMutation
from operators.proposal import (
    Context,
    Exchange,
    Gate,
    Known,
    NoOffspring,
    Operator,
    Parent,
    Proposal,
    Refused,
    Request,
    Variant,
)
from operators.source.constants import constants_and_structure
from populations.diversity import normal_form

SEED = (Path(trainer.__file__).parent / "seed" / "train.py").read_text()

SMALL = '''"""A small genome."""

import math

import torch
import torch.nn.functional as F
from torch import nn

# Size
WIDTH = 64  # channels
DEPTH = 2
BETAS: tuple[float, float] = (0.9, 0.95)  # AdamW
LR = 3e-4
COMPILE = False


def lr_factor(progress):
    """Decay to zero."""
    return 1.0 - progress  # linear


class MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        # the residual is outside
        x = self.norm(x)
        x = F.relu(self.up(x))
        return x


def build_model(task):
    return MLP(WIDTH)


def train(model, task):
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=BETAS, fused=True)
    step = 0
    while task.seconds_left() > 0.5:
        step += 1
        optimizer.step()
    task.log(step=step, loss=math.log(2))
'''


class NoJournal:
    """The journal of operators that ask nobody."""

    def request(self, turn: int) -> Mapping[str, Any] | None:
        raise AssertionError("a classical operator must not read the journal")

    def exchange(self, turn: int) -> Exchange | None:
        raise AssertionError("a classical operator must not read the journal")

    def record_request(self, turn: int, request: Mapping[str, Any]) -> None:
        raise AssertionError("a classical operator must not write the journal")

    def record_exchange(self, turn: int, exchange: Exchange) -> None:
        raise AssertionError("a classical operator must not write the journal")

    def record_abandoned(self, turn: int, exchange: Exchange) -> None:
        raise AssertionError("a classical operator must not write the journal")

    def record_stand_in(self, turn: int, model: str, stand_in: str, reason: str) -> None:
        raise AssertionError("a classical operator must not write the journal")


class ClosedGate:
    """Refuses everything."""

    def check(self, source: str) -> None:
        raise Refused("duplicate", "the gate is closed")


def gate_knowing(*sources: str) -> SourceGate:
    """A gate of the language-model task that knows `sources` as individuals 1, 2, …"""
    ids = {normal_form(source): index for index, source in enumerate(sources, start=1)}
    return SourceGate(language_model_contract, ids.get)


def request_for(*sources: str, seed: int | str = 0, gate: Gate | None = None, ancestor: str | None = None) -> Request:
    """A request whose parents 1, 2, … have `sources`."""
    return Request(
        number=7,
        parents=tuple(Parent(index, source, "", {}) for index, source in enumerate(sources, start=1)),
        known=Known(lambda: Context(common_ancestor=ancestor), find_variants=lambda: variants(sources[0])),
        random=random.Random(seed),
        journal=NoJournal(),
        gate=gate or gate_knowing(*sources),
    )


def variants(source: str, count: int = 12) -> list[Variant]:
    """Measured programs with other constants; each change made the loss a little worse."""
    mutation, found = ConstantMutation(), [source]
    for number in range(count):
        with contextlib.suppress(NoOffspring):
            found.append(mutation.mutate(source, random.Random(number)).source)
    values = (constants_and_structure(one)[0] for one in found)
    return [Variant(number, one, {"val_bpb": 1.5 + 0.01 * number}) for number, one in enumerate(values)]


def proposed(operator: Operator, request: Request) -> Proposal:
    """Run one proposal to its end."""
    return asyncio.run(operator.propose(request))


def relatives() -> tuple[str, str]:
    """Two children of the seed genome, changed in different and in common places."""
    first = _changed(
        SEED,
        {
            "ADAM_BETA1 = 0.5": "ADAM_BETA1 = 0.8",
            "F.relu(self.up(rms_norm(x))).square()": "F.gelu(self.up(rms_norm(x)))",
            "COOLDOWN = 0.6": "COOLDOWN = 0.7",
        },
    )
    second = _changed(
        SEED,
        {
            "COOLDOWN = 0.6": "COOLDOWN = 0.3",
            "rise * (FINAL_LR": "rise**2 * (FINAL_LR",
            "WARMUP = 0.02": "WARMUP = 0.05",
        },
    )
    return first, second


def _changed(source: str, replacements: Mapping[str, str]) -> str:
    for old, new in replacements.items():
        if old not in source:
            raise ValueError(f"expected the seed genome to contain {old!r}; choose another change for the tests")
        source = source.replace(old, new)
    return source
