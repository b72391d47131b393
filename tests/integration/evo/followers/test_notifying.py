"""The digest once a day, by a clock that a test holds."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from paced_evaluator import PacedEvaluator
from searches import GENOME, configuration, searched

from evo.followers.notifying import Notices, notify, seconds_until
from evo.runs.folder import RunFolder
from evo.workers.evaluator import Slot
from trainer.evaluation import Evaluation, Job, Status

MORNING = datetime(2026, 3, 4, 6, 59, tzinfo=UTC)


class Kept:
    """A channel that keeps what it is sent."""

    name = "kept"

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []

    def send(self, title: str, text: str) -> str:
        self.got.append((title, text))
        return ""


class Looks(threading.Event):
    """Tells the end of the driver after some looks; between two of them an hour passes."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.left = looks
        self.now = MORNING

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timedelta(hours=1)
        self.left -= 1
        return self.left < 0


class Crashing(PacedEvaluator):
    """Crashes once, after ten results."""

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        if len(self.evaluated) == 10:
            return self._failed(job, Status.CRASHED, "it fell")
        return await super().verdict(slot, job)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run"
    searched(path, configuration(4, 8), Crashing(GENOME, one_in=10**9))
    return path


@pytest.mark.parametrize(
    ("now", "seconds"),
    [(MORNING, 60.0), (MORNING + timedelta(minutes=1), 86400.0), (MORNING + timedelta(minutes=2), 86340.0)],
)
def test_a_time_of_day_is_the_next_one(now: datetime, seconds: float) -> None:
    assert seconds_until("07:00", now) == seconds


def test_a_digest_comes_once_a_day_and_says_what_came_since_the_last(run: Path) -> None:
    channel, looks = Kept(), Looks(26)
    notify(Notices(RunFolder(run), 0.0), [channel], looks, "07:00", lambda: looks.now)
    digests = [text for title, text in channel.got if title == "evo run: digest"]
    assert len(digests) == 2
    first, second = digests
    assert "32 of 32 evaluations spent" in first
    assert ": 32 results; failed: 1 crashed; #" in first
    assert "is the best, better than #0 by 0." in first
    assert " ± " in first.splitlines()[-1]
    assert second.splitlines()[-1].endswith(": 0 results; failed: none; no other best individual.")
    assert channel.got[-1][0].startswith("evo run: ")
    assert channel.got[-1][1].splitlines()[-1].startswith("Since 2026-03-0")


def test_without_a_time_there_is_none(run: Path) -> None:
    channel, looks = Kept(), Looks(26)
    notify(Notices(RunFolder(run), 0.0), [channel], looks, None, lambda: looks.now)
    assert not [title for title, _ in channel.got if "digest" in title]


def test_what_an_earlier_driver_said_is_not_said_again(run: Path) -> None:
    notices = Notices(RunFolder(run), 4e9)
    assert [title for title, _ in notices.news() if "new best" in title] == []
    assert notices.end()[1].splitlines()[-1].endswith(": 0 results; failed: none; no other best individual.")
    notices.close()
