"""Notifications of a run: `python -m evo.followers.notifying RUN` beside its driver.

They say that there is a new best beyond the noise, that the search stalls, and how the run ended, in numbers alone: no
text of a model or of a candidate.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from evo.followers.channels import Channel, channel_of
from evo.followers.companion import accompany
from evo.followers.results import Result, RunResults
from evo.report.loading import load_report
from evo.report.outcome import finding_of
from evo.runs.folder import RunFolder
from evo.runs.status import State, state_of
from evo.text import duration, money

ENDING_SECONDS = 20.0
"""For the last notification, after the end of the driver."""

_LOOKING_SECONDS = 1.0
_STALL_GENERATIONS = 5
_ENDS = {State.FINISHED: "finished", State.STOPPED: "stopped", State.KILLED: "cut off", State.RUNNING: "running"}


class Notices:
    """Decides what is worth a notification.

    Args:
        folder: of the run.
        since: seconds since 1970; what happened before was said by the process of an earlier driver.
    """

    def __init__(self, folder: RunFolder, since: float) -> None:
        self._folder = folder
        self._since = since
        self._results = RunResults(folder)
        self._best = 0
        self._stalled = -1

    def news(self) -> Iterator[tuple[str, str]]:
        """Yield title and text of what came since the last call: of several new bests the last one."""
        is_new = False
        for result in self._results.new():
            is_recent = result.outcome.finished_at >= self._since
            is_new |= self._is_new_best(result) and is_recent
        standings = self._results.viewed.standings
        if is_new:
            yield self._notice("new best")
        without = standings.result_number - standings.led_since
        if without >= self._patience() and self._stalled != standings.led_since:
            self._stalled = standings.led_since
            yield self._notice(f"nothing better in {without} results")

    def end(self) -> tuple[str, str]:
        """Return title and text of the end."""
        state, reason = state_of(self._results.viewed, None)
        return self._notice(f"{_ENDS[state]}: {reason}" if reason else _ENDS[state])

    def close(self) -> None:
        """Close the store."""
        self._results.close()

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
        finding = finding_of(report)
        course = (
            f"{len(report.evaluations)} results, {report.spent:g} of {report.evaluations_planned} evaluations spent, "
            f"{duration(report.wall_seconds)}, {money(report.cost_usd)}"
        )
        return f"evo {report.name}: {what}", f"{finding.headline}.\n{finding.verdict}\n{course}"


def notify(notices: Notices, channels: Sequence[Channel], ended: threading.Event) -> None:
    """Send what is worth it until the driver has ended, and then how it ended."""
    silent: set[str] = set()

    def send(title: str, text: str) -> None:
        for channel in channels:
            if (failure := channel.send(title, text)) and channel.name not in silent:
                silent.add(channel.name)
                sys.stderr.write(f"evo: a notification by {channel.name} failed: {failure}. The search goes on.\n")

    while not ended.wait(_LOOKING_SECONDS):
        for title, text in notices.news():
            send(title, text)
    for title, text in notices.news():
        send(title, text)
    send(*notices.end())
    notices.close()


def main() -> None:
    """Notify of the run at `argv[1]` until its driver has ended; since when and where to the driver tells, as JSON."""
    folder = RunFolder(Path(sys.argv[1]))
    ended = threading.Event()
    since, targets = json.loads(accompany(ended.set))
    channels = [channel_of(target) for target in targets]
    while not folder.config.is_file():  # the last file of a new run
        if ended.wait(_LOOKING_SECONDS):
            return
    notify(Notices(folder, since), channels, ended)


if __name__ == "__main__":
    main()
