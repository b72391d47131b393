"""One run, read beside its driver: what changed since, and what was worked out of it, once for all pages."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from evo.config.resolved import StoredConfig
from evo.dashboard import facts
from evo.dashboard.figures import numbers_of
from evo.report.data import RunReport
from evo.report.loading import EvaluationRows, load_report
from evo.runs.assemble import build_standings
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import Viewed, read_config
from evo.steering.inbox import Inbox
from evo.store import Store, StoreView

_Result = TypeVar("_Result")

_LOOKING_SECONDS = 0.4
_LIVE_SECONDS = 0.8
_REST = 2.0
"""After work for the pages a watcher rests this many times its CPU time: it leaves the processors to the run.

Not its wall time, of which a busy machine makes more: pages would be the later the less they take.
"""


class WatchedRun:
    """A run that pages look at.

    The store is read in one thread, since a connection belongs to its thread. What is worked out of it is kept until
    the run changes.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.version = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"watch-{folder.path.name}")
        self._changed = asyncio.Condition()
        self._watcher: asyncio.Task[None] | None = None
        self._viewed: Viewed | None = None
        self._seen: object = None
        self._config = ""
        self._results = EvaluationRows()
        self._kept: dict[str, tuple[int, object]] = {}
        self._busy_seconds = 0.0
        self._live: dict[str, Any] = {"curves": {}}
        self._live_at = -math.inf
        self._numbers: dict[int, dict[str, float]] = {}
        self._reading_numbers = asyncio.Lock()

    async def read(self, key: str, work: Callable[[Viewed], _Result], *, keep: bool = True) -> _Result:
        """Return what `work` makes of the run as it stands; pages that ask for the same `key` share it.

        Raises:
            StoreError: the store cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._timed, key, work, keep)

    async def live(self) -> dict[str, Any]:
        """Return the curves of what runs now, for all pages of this moment alike."""
        if time.monotonic() - self._live_at > _LIVE_SECONDS:
            self._live_at = time.monotonic()
            self._live = await self.read("live", facts.live, keep=False)
        return self._live

    async def numbers(self) -> Mapping[int, Mapping[str, float]]:
        """Return the constants of every measured individual.

        Each program is read once, and beside the reading thread: thousands of them take a minute, in which other pages
        want to read.
        """
        async with self._reading_numbers:
            sources = await self.read("unread programs", self._unread_programs, keep=False)
            self._numbers |= await asyncio.to_thread(lambda: {id_: numbers_of(one) for id_, one in sources.items()})
        return self._numbers

    def _unread_programs(self, viewed: Viewed) -> dict[int, str]:
        return {id_: viewed.store.source(id_) for id_ in viewed.standings.measured if id_ not in self._numbers}

    async def report(self, key: str, work: Callable[[Viewed, RunReport], _Result]) -> _Result:
        """Return what `work` makes of the run and its report as they stand."""
        return await self.read(key, lambda viewed: work(viewed, self._report(viewed)))

    async def versions(self) -> AsyncIterator[int]:
        """Yield the version now, and each one that follows."""
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        seen = -1
        while True:
            async with self._changed:
                while self.version == seen:
                    await self._changed.wait()
                seen = self.version
            yield seen

    async def close(self) -> None:
        """End the watcher and close the store."""
        if self._watcher is not None:
            self._watcher.cancel()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before, self._busy_seconds = self._busy_seconds, 0.0
            await asyncio.sleep(max(_LOOKING_SECONDS, min(10.0, _REST * before)))
            if await loop.run_in_executor(self._thread, self._look):
                async with self._changed:
                    self._changed.notify_all()

    def _look(self) -> bool:
        """Return whether the run has changed since the last look."""
        viewed = self._open()
        seen = (viewed.store.data_version(), self.folder.driver(), len(Inbox(self.folder.steering).waiting()))
        if seen == self._seen:
            return False
        self._seen = seen
        self.version += 1
        return True

    def _timed(self, key: str, work: Callable[[Viewed], _Result], keep: bool) -> _Result:
        began = time.thread_time()
        try:
            if self._watcher is None:  # no page follows this run, but one may compare it with another
                self._look()
            return self._read(key, work, keep)
        finally:
            self._busy_seconds += time.thread_time() - began

    def _read(self, key: str, work: Callable[[Viewed], _Result], keep: bool = True) -> _Result:
        kept = self._kept.get(key)
        if keep and kept is not None and kept[0] == self.version:
            return kept[1]  # type: ignore[return-value]  # of the same key, and so of the same type
        version = self.version
        found = work(self._advanced())
        if keep:
            self._kept[key] = (version, found)
        return found

    def _report(self, viewed: Viewed) -> RunReport:
        return self._read("report", lambda _: load_report(viewed, self._results))

    def _advanced(self) -> Viewed:
        """Return the run with the results that it has by now."""
        viewed = self._open()
        for outcome in viewed.store.outcomes(after=viewed.standings.result_number):
            viewed.standings.tell(viewed.store.individual(outcome.individual), outcome, viewed.store.source)
        return viewed

    def _open(self) -> Viewed:
        """Open the run; once more where it is driven with another configuration now."""
        store = self._viewed.store if self._viewed is not None else Store.read(self.folder.store)
        sealed = _sealed(store)
        if self._viewed is None or sealed != self._config:
            config = read_config(self.folder, StoredConfig)
            self._viewed = Viewed(self.folder, config, store, build_standings(config))
            self._config, self._results = sealed, EvaluationRows()
        return self._viewed

    def _close(self) -> None:
        if self._viewed is not None:
            self._viewed.store.close()


def _sealed(store: StoreView) -> str:
    """Return what tells the configuration of a run from another one of it."""
    return store.meta("sealed_config_sha256") or ""
