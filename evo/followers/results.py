"""A run read beside its driver, result by result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evo.config.resolved import StoredConfig
from evo.runs.assemble import build_standings
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import Viewed, read_config
from evo.standings.standings import Standings
from evo.store import IndividualRecord, Outcome, Store


@dataclass(frozen=True, slots=True)
class Result:
    """One result, and what is known of the run with it.

    Attributes:
        standings: after it and before the next.
    """

    individual: IndividualRecord
    outcome: Outcome
    standings: Standings


class RunResults:
    """The results of a run, read as they come; once more from the first where it is driven with another configuration.

    Args:
        folder: of the run, which has its `config.toml`.

    Attributes:
        viewed: the run as far as its results were read.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._store = Store.read(folder.store)
        self._sealed: str | None = None
        self._version: int | None = None
        self.viewed = self._view()

    def new(self) -> Iterator[Result]:
        """Yield the results that were not read yet; the next one is read when it is asked for."""
        version = self._store.data_version()
        if version == self._version:
            return
        if self._store.meta("sealed_config_sha256") != self._sealed:
            self.viewed = self._view()
        standings = self.viewed.standings
        for outcome in self._store.outcomes(after=standings.result_number):
            individual = self._store.individual(outcome.individual)
            standings.tell(individual, outcome, self._store.source)
            yield Result(individual, outcome, standings)
        self._version = version

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _view(self) -> Viewed:
        self._sealed = self._store.meta("sealed_config_sha256")
        config = read_config(self._folder, StoredConfig)
        return Viewed(self._folder, config, self._store, build_standings(config))
