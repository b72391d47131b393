"""Calls that came to nothing, counted until the fault is taken to be the model's rather than the prompts'."""

from __future__ import annotations

from typing import Protocol

from operators.errors import OperatorUnavailable
from operators.llm.blocks import UnusableReply
from operators.llm.text import one_line

MOST_FRUITLESS_CALLS = 8
"""After so many calls in a row, of whatever proposals, that ended for one and the same reason without a usable word
from the model, the fault is taken to be the service's rather than the prompts'."""
MOST_STRUCTURAL_REFUSALS = 20
"""After so many replies in a row that hold no readable change, the model is taken not to master the form."""
REASON_CHARACTERS = 300


class GiveUp(Protocol):
    """Gives a model up; `operators.llm.client.LanguageModel.give_up`."""

    def __call__(self, what: str, next_step: str, *, may_recover: bool) -> OperatorUnavailable:
        """Return the error that says so."""
        ...


class FruitlessCalls:
    """The calls of one model that came to nothing, of all proposals together."""

    def __init__(self, give_up: GiveUp) -> None:
        self._give_up = give_up
        self._row: tuple[str, int] = ("", 0)
        self._structural = 0

    def count(self, kind: str, next_step: str = "", what: str = "") -> None:
        """Count fruitless calls of one kind in a row; any usable word from the model ends the row.

        Raises:
            OperatorUnavailable: there were too many.
        """
        if not kind:
            self._row = ("", 0)
            return
        before, count = self._row
        self._row = (kind, count + 1 if kind == before else 1)
        if self._row[1] >= MOST_FRUITLESS_CALLS:
            count, self._row = self._row[1], ("", 0)
            raise self._give_up(
                f"answered {count} times in a row without anything usable: {(what or kind).rstrip('.')}",
                next_step or "Choose another model with --model, or change the prompt's limits.",
                may_recover=False,
            )

    def count_structural(self, problem: Exception | None) -> None:
        """Count replies in a row that hold no readable change; the verdict of the gate on a program is not one.

        Args:
            problem: with the reply; None for a usable one.

        Raises:
            OperatorUnavailable: there were too many.
        """
        if not isinstance(problem, UnusableReply):
            self._structural = 0
            return
        self._structural += 1
        if self._structural >= MOST_STRUCTURAL_REFUSALS:
            count, self._structural = self._structural, 0
            raise self._give_up(
                f"sent {count} replies in a row that hold no readable change; of the last one: "
                f"{one_line(str(problem), REASON_CHARACTERS).rstrip('.')}",
                "Choose another model with --model.",
                may_recover=False,
            )
