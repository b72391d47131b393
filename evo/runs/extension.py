"""Another budget for a live run: the configuration, and all that follows from it, without a new driver.

The run goes on as if it had been stopped and resumed with the new budget: a new configuration is an event of the store,
and the standings are told all results under it once more. Only what is under way goes on.
"""

from __future__ import annotations

import time

from evo.config.resolved import StoredConfig
from evo.runs.assemble import read_standings
from evo.runs.folder import RunFolder
from evo.runs.sealing import record_config, write_config
from evo.search.controls import Extended
from evo.search.stopping import StoppingRules
from evo.standings.usage import SECONDS_AN_HOUR
from evo.steering.actions import Action
from evo.store import Store


class BudgetExtension:
    """Gives a live run the budget that users ask for (`evo.search.controls.Extension`)."""

    def __init__(self, folder: RunFolder, config: StoredConfig, store: Store) -> None:
        self._folder = folder
        self._config = config
        self._store = store
        self._is_written = True

    def apply(self, action: Action, driven_seconds: float) -> Extended:
        """Record in the transaction under way the configuration that is asked for, and return what follows from it."""
        self._config = extended(self._config, action, driven_seconds)
        record_config(self._store, self._config)
        self._is_written = False
        return Extended(read_standings(self._config, self._store), StoppingRules.of(self._config))

    def committed(self) -> None:
        """Write `config.toml`, now that the store has it; raise MachineError where that is not possible."""
        if not self._is_written:
            write_config(self._folder, self._store, self._config.to_toml())
            self._is_written = True


def extended(config: StoredConfig, action: Action, driven_seconds: float) -> StoredConfig:
    """Return a configuration with the budget that is asked for.

    An end by the clock becomes a limit of the seconds that the run is driven; `driven_seconds` are those so far.
    """
    changes: dict[str, int | float | None] = {}
    if action.gens is not None:
        changes["gens"] = action.gens
    if action.until is not None:
        hours = (driven_seconds + action.until - time.time()) / SECONDS_AN_HOUR
        changes["max_hours"] = round(hours, 6) if action.until else None
    return config.with_search(**changes)
