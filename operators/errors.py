"""Errors of operators that end a search (see `trainer.errors` for the whole tree)."""

from trainer.errors import EvoError


class OperatorUnavailable(EvoError):
    """The service behind an operator cannot be used: a bad key, an unknown model, an outage that outlasted patience."""


class CostLimitReached(EvoError):
    """The next call could exceed `--max-cost`."""
