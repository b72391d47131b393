"""What a genome sees: `Task`, the only object of the trainer that candidate code is given.

A genome of the language-model task defines

    def build_model(task: Task) -> torch.nn.Module     # maps int64 tokens (B, T) to logits (B, T, task.vocab_size)
    def train(model: torch.nn.Module, task: Task) -> None

Everything before the first `train_tokens()` is set-up and costs no training time; from then on the clock runs.
"""

from dataclasses import dataclass, field
from typing import Protocol

import torch


class Host(Protocol):
    """The candidate process's side of the line to its supervisor."""

    def seconds_left(self) -> float:
        """Return the training seconds left on the budget's clock; the whole budget before the data was asked for."""

    def train_tokens(self) -> torch.Tensor:
        """Ask for the training data, which starts the clock."""

    def log(self, step: int, loss: float, tokens: int | None) -> None:
        """Report one point of the training curve, and how many tokens the training has used."""


@dataclass(frozen=True, slots=True)
class Task:
    """The language-model task as candidate code sees it.

    Attributes:
        device: where to train; the model that `train` returns with may live anywhere.
        vocab_size: token ids run from 0 to vocab_size - 1.
        sequence_length: T of the blocks that the model is scored on, tokens.
        seed: torch, numpy and random are seeded with it before the genome is imported.
        budget_seconds: training time on the budget's clock.
    """

    device: torch.device
    vocab_size: int
    sequence_length: int
    seed: int
    budget_seconds: float
    host: Host = field(repr=False)

    def seconds_left(self) -> float:
        """Return the training seconds left; training that goes on far below zero is killed and counts as timed out."""
        return self.host.seconds_left()

    def train_tokens(self) -> torch.Tensor:
        """Return the training tokens: shape (n,), int32, CPU memory, documents joined by the separator token.

        The first call starts the training clock. Later calls return the same tensor.
        """
        return self.host.train_tokens()

    def log(self, *, step: int, loss: float, tokens: int | None = None) -> None:
        """Report the training loss (nats per token) at `step`; a non-finite loss ends the evaluation as diverged.

        Args:
            step: of the optimizer.
            loss: at that step.
            tokens: training tokens used so far, repetitions counted; with them a training that is hopelessly slower
                than its parent's ends early.
        """
        self.host.log(step, float(loss), tokens)
