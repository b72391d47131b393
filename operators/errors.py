"""Errors of operators that end a search (see `trainer.errors` for the whole tree)."""

from trainer.errors import EvoError


class OperatorUnavailable(EvoError):  # noqa: N818 - named for what is the case, as the tree of `EvoError` reads
    """The service behind an operator cannot be used: a bad key, an unknown model, an outage that outlasted patience."""


class CostLimitReached(EvoError):  # noqa: N818 - as above
    """The next call could exceed `--max-cost`."""
