"""What a run has spent on language models, and the limit that it must not pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from operators.errors import CostLimitReached


class SpendLimit:
    """The money of one run, shared by all its operators and concurrent calls.

    Before a call its largest possible cost is set aside; afterwards what it did cost is booked. A call that does not
    fit beside others in flight waits for them, since they usually cost less than what was set aside for them.

    Args:
        limit_usd: what the run may spend in total; None for no limit.
        spent_usd: what it has spent before, for a run that is resumed.
    """

    def __init__(self, limit_usd: float | None = None, spent_usd: float = 0.0) -> None:
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self._reserved_usd = 0.0
        self._changed = asyncio.Condition()

    def book(self, cost_usd: float | None) -> None:
        """Add what a call has cost; a call of unknown cost adds nothing."""
        self.spent_usd += cost_usd or 0.0

    @asynccontextmanager
    async def reserve(self, largest_cost_usd: float | None) -> AsyncIterator[None]:
        """Set money aside for the calls made inside the context.

        Raises:
            CostLimitReached: the call could exceed the limit even when nothing else is in flight.
        """
        amount = largest_cost_usd or 0.0
        async with self._changed:
            await self._changed.wait_for(lambda: self._reserved_usd <= 0 or self._fits(amount))
            if not self._fits(amount):
                raise CostLimitReached(
                    f"The next call may cost up to {_dollars(amount)}, but of the limit of {_dollars(self.limit_usd)} "
                    f"{_dollars(self.spent_usd)} is spent: a higher limit is needed."
                )
            self._reserved_usd += amount
        try:
            yield
        finally:
            await self._release(amount)

    def _fits(self, amount: float) -> bool:
        return self.limit_usd is None or self.spent_usd + self._reserved_usd + amount <= self.limit_usd

    async def _release(self, amount: float) -> None:
        # Shielded from floating-point residue, so that an empty purse reads as exactly empty.
        self._reserved_usd = max(0.0, self._reserved_usd - amount)
        if self._reserved_usd < 1e-9:
            self._reserved_usd = 0.0
        async with self._changed:
            self._changed.notify_all()


def _dollars(usd: float | None) -> str:
    """Return a sum in words, cents or what is less."""
    return f"${usd or 0.0:.2f}" if not usd or usd >= 0.01 else f"${usd:.1g}"
