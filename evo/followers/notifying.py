"""Notifications of a run: `python -m evo.followers.notifying RUN` beside its driver.

They say that there is a new best beyond the noise, that the search stalls, how the run ended, and once a day what came
since the day before, in numbers alone: no text of a model or of a candidate.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from evo.followers.channels import Channel, channel_of
from evo.followers.companion import accompany
from evo.followers.results import Result, RunResults
from evo.report.loading import load_report
from evo.report.outcome import finding_of
from evo.runs.folder import RunFolder
from evo.runs.status import State, state_of
from evo.text import duration, money
from trainer.errors import counted
from trainer.evaluation import Status

ENDING_SECONDS = 20.0
"""For the last notification, after the end of the driver."""

_LOOKING_SECONDS = 1.0
_STALL_GENERATIONS = 5
_ENDS = {State.FINISHED: "finished", State.STOPPED: "stopped", State.KILLED: "cut off", State.RUNNING: "running"}


def seconds_until(of_day: str, now: datetime) -> float:
    """Return how long it is until a time of day such as `07:00`, in the zone of `now`: more than nothing."""
    today = datetime.combine(now.date(), time.fromisoformat(of_day), now.tzinfo)
    return ((today if today > now else today + timedelta(days=1)) - now).total_seconds()


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where the newest digest ended.

    Attributes:
        at: seconds since 1970.
        best: the best individual by then; None before the first.
    """

    at: float
    result_number: int
    best: int | None
    statuses: Mapping[Status, int]


class Notices:
    """Decides what is worth a notification.

    Args:
        since: seconds since 1970; what happened before was said by the process of an earlier driver.
    """

    def __init__(self, folder: RunFolder, since: float) -> None:
        self._folder = folder
        self._since = since
        self._results = RunResults(folder)
        self._best = 0
        self._stalled = -1
        self._digested = _Mark(since, 0, None, {})

    def news(self) -> Iterator[tuple[str, str]]:
        """Yield title and text of what came since the last call: of several new bests the last one."""
        is_new = False
        for result in self._results.new():
            is_recent = result.outcome.finished_at >= self._since
            if not is_recent and self._digested.at == self._since:
                self._digested = self._mark(self._since)
            is_new |= self._is_new_best(result) and is_recent
        standings = self._results.viewed.standings
        if is_new:
            yield self._notice("new best")
        without = standings.result_number - standings.led_since
        if without >= self._patience() and self._stalled != standings.led_since:
            self._stalled = standings.led_since
            yield self._notice(f"nothing better in {counted(without, 'result')}")

    def digest(self, now: float) -> tuple[str, str]:
        """Return title and text of what came since the newest digest, or since the driver began."""
        title, text = self._notice("digest")
        since, self._digested = self._since_then(), self._mark(now)
        return title, f"{text}\n{since}"

    def end(self) -> tuple[str, str]:
        """Return title and text of the end, with what came since the newest digest."""
        state, reason = state_of(self._results.viewed, None)
        title, text = self._notice(f"{_ENDS[state]}: {reason}" if reason else _ENDS[state])
        return title, f"{text}\n{self._since_then()}"

    def close(self) -> None:
        """Close the store."""
        self._results.close()

    def _mark(self, at: float) -> _Mark:
        standings = self._results.viewed.standings
        best = standings.best()
        return _Mark(at, standings.result_number, None if best is None else best.id, dict(standings.statuses))

    def _since_then(self) -> str:
        """Return what came since the newest digest: results, failures, and how much better the best has become."""
        before, standings = self._digested, self._results.viewed.standings
        came = standings.result_number - before.result_number
        failed = Counter(standings.statuses) - Counter(before.statuses)
        counts = ", ".join(f"{count} {status}" for status, count in sorted(failed.items()) if status is not Status.OK)
        at = datetime.fromtimestamp(before.at).astimezone()
        parts = [f"Since {at:%Y-%m-%d %H:%M}: {counted(came, 'result')}", f"failed: {counts or 'none'}"]
        best = standings.best()
        if best is not None and best.id != (before.best or 0):
            parts.append(self._better(best.id, before.best or 0))
        else:
            parts.append("no other best individual")
        return f"{'; '.join(parts)}."

    def _better(self, best: int, before: int) -> str:
        standings = self._results.viewed.standings
        found, objective = standings.difference(best, before), standings.objectives[0]
        if found is None:
            return f"#{best} is the best"
        gain = objective.format(found.value, found.standard_error)
        return f"#{best} is the best, better than #{before} by {gain}{' (a tie)' if found.is_tie else ''}"

    def _is_new_best(self, result: Result) -> bool:
        best = result.standings.best()
        if best is None or best.id == self._best:
            return False
        gain = result.standings.difference(best.id, self._best)
        if gain is None or not gain.is_improvement:
            return False
        self._best = best.id
        return True

    def _patience(self) -> int:
        config = self._results.viewed.config
        return config.diversity.explore_after or _STALL_GENERATIONS * config.search.pop

    def _notice(self, what: str) -> tuple[str, str]:
        report = load_report(self._results.viewed)
        finding, summary = finding_of(report), report.summary
        course = (
            f"{counted(len(report.evaluations), 'result')}, {summary.spent:g} of {summary.budget} evaluations spent, "
            f"{duration(report.wall_seconds)}, {money(summary.spending.known_usd)}"
        )
        return f"evo {report.name}: {what}", f"{finding.headline}.\n{finding.verdict}\n{course}"


def notify(
    notices: Notices,
    channels: Sequence[Channel],
    ended: threading.Event,
    digest_at: str | None = None,
    now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
) -> None:
    """Send what is worth it until the driver has ended, and then how it ended.

    Args:
        channels: where they go.
        ended: whether the driver has.
        digest_at: the time of day of a digest, such as `07:00`; None for none.
        now: for tests.
    """
    silent: set[str] = set()

    def send(title: str, text: str) -> None:
        for channel in channels:
            if (failure := channel.send(title, text)) and channel.name not in silent:
                silent.add(channel.name)
                sys.stderr.write(f"evo: a notification by {channel.name} failed: {failure}. The search goes on.\n")

    next_digest = now() + timedelta(seconds=seconds_until(digest_at, now())) if digest_at else None
    while not ended.wait(_LOOKING_SECONDS):
        for title, text in notices.news():
            send(title, text)
        if digest_at and next_digest and now() >= next_digest:
            next_digest = now() + timedelta(seconds=seconds_until(digest_at, now()))
            send(*notices.digest(now().timestamp()))
    for title, text in notices.news():
        send(title, text)
    send(*notices.end())
    notices.close()


def main() -> None:
    """Notify of the run at `argv[1]` until its driver ends, which tells as JSON since when, where and digests when."""
    folder = RunFolder(Path(sys.argv[1]))
    ended = threading.Event()
    since, targets, digest_at = json.loads(accompany(ended.set))
    channels = [channel_of(target) for target in targets]
    while not folder.config.is_file():  # the last file of a new run
        if ended.wait(_LOOKING_SECONDS):
            return
    notify(Notices(folder, since), channels, ended, digest_at)


if __name__ == "__main__":
    main()
