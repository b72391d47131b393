"""What is left to the user: how it is raised, and how several names stand in one line."""

from __future__ import annotations

from collections.abc import Sequence

from evo.project.found import Metric, Question

_MOST_NAMED = 6


class Unclear(Exception):  # noqa: N818 - a question, no failure
    """Something is left to the user."""

    def __init__(self, question: Question, choices: Sequence[Metric] = ()) -> None:
        super().__init__(question.text)
        self.question = question
        self.choices = tuple(choices)


def listed(names: Sequence[str]) -> str:
    """Return names for a message, the first ones where there are many."""
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown or "nothing"
