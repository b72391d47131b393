"""Tracking a run: `python -m evo.followers.tracking RUN TRACKER` beside its driver.

What a tracker has got is kept in the run's folder, so a resumed run goes on in the same place of the tracker. While a
tracker cannot be reached, results wait in the store; nothing is dropped.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from evo.files import read_text, replace_file
from evo.followers.companion import accompany
from evo.followers.results import Result, RunResults
from evo.followers.trackers import TRACKERS, TrackedResult, TrackedRun, Tracker
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import Viewed
from evo.runs.status import state_of
from evo.store import Store
from evo.text import visible
from trainer import genome
from trainer.errors import counted

ENDING_SECONDS = 15.0
"""After the end of the driver what a tracker has not taken by then is left for `evo resume`."""

_LOOKING_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 60.0
_MOST_CHARACTERS = 200
_USER_OF_ADDRESS = re.compile(r"//[^/@\s]+@")


class Tracking:
    """Hands the results of a run to a tracker, in order, each once as far as the tracker answers.

    Args:
        tracker: which may raise anything.
        terminal: told what goes wrong.
    """

    def __init__(self, folder: RunFolder, name: str, tracker: Tracker, terminal: TextIO) -> None:
        self._folder = folder
        self._terminal = terminal
        self._name = name
        self._tracker = tracker
        self._file = folder.tracking / f"{name}.json"
        self._sent, self._kept = self._read()
        self._seen = self._sent
        self._results = RunResults(folder)
        self._waiting: deque[TrackedResult] = deque()
        self._pause = 0.0
        self._not_before = 0.0
        self._is_begun = False
        self._is_away = False

    def follow(self, ended: threading.Event) -> None:
        """Send what comes until the driver has ended, and then the rest."""
        while True:
            is_last = ended.is_set()  # before the store is read: nothing comes after the last look
            for result in self._results.new():
                if result.outcome.result_number > self._seen:
                    self._waiting.append(self._row(result))
                    self._seen = result.outcome.result_number
            if self._waiting and (is_last or time.monotonic() >= self._not_before):
                self._send()
            if is_last:
                self._end()
                return
            ended.wait(_LOOKING_SECONDS)

    def give_up(self) -> None:
        """Say what was not sent and end this process: the tracker does not answer."""
        with Store.read(self._folder.store) as store:  # from whichever thread
            missing = store.last_result_number() - self._sent
        self._say(f"not sent: {counted(missing, 'result')}. `evo resume --track {self._name}` sends what is missing.")
        os._exit(1)

    def _send(self) -> None:
        try:
            if not self._is_begun:
                self._tracker.begin(self._described(), self._kept)
                self._is_begun = True
            while self._waiting:
                self._tracker.result(self._waiting[0])
                self._sent = self._waiting.popleft().number
            self._tracker.flush()
        except Exception as error:  # noqa: BLE001 - a library of others, and a service, of which anything may come
            self._pause = min(_LONGEST_PAUSE_SECONDS, max(1.0, 2 * self._pause))
            self._not_before = time.monotonic() + self._pause
            if not self._is_away:
                self._say(f"it takes no results: {_in_a_line(error)}. The search goes on; they are sent later.")
            self._is_away = True
        else:
            self._pause, self._is_away = 0.0, False
        self._write()

    def _end(self) -> None:
        if self._waiting:
            self.give_up()
        if self._is_begun:
            try:
                self._tracker.end(str(state_of(self._results.viewed, None)[0]))
            except Exception as error:  # noqa: BLE001 - likewise
                self._say(f"the end of the run was not recorded: {_in_a_line(error)}.")
        self._results.close()

    def _described(self) -> TrackedRun:
        viewed = self._results.viewed
        return TrackedRun(self._folder.path.resolve().name, self._folder.tracking, _settings(viewed))

    def _row(self, result: Result) -> TrackedResult:
        outcome, standings, viewed = result.outcome, result.standings, self._results.viewed
        best, spending = standings.best(), viewed.store.spending()
        is_new = best is not None and standings.led_since == outcome.result_number
        return TrackedResult(
            number=outcome.result_number,
            individual=result.individual.id,
            parents=result.individual.parents,
            operator=result.individual.operator,
            idea=result.individual.idea,
            seed=outcome.seed,
            purpose=str(outcome.purpose),
            status=str(outcome.status),
            at=outcome.finished_at,
            objectives=dict(outcome.objectives),
            best=None if best is None else best.id,
            best_means={} if best is None else best.means(),
            best_genome=genome.split(viewed.store.source(best.id), viewed.config.task.genome_files)
            if is_new and best is not None
            else {},
            spent=standings.spent,
            cost_usd=spending.known_usd,
        )

    def _read(self) -> tuple[int, dict[str, Any]]:
        try:
            data = json.loads(read_text(self._file))
            return int(data["results"]), dict(data["kept"])
        except FileNotFoundError:
            return 0, {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._say(f"{self._file} cannot be read ({type(error).__name__}): the run is tracked again from its start.")
            return 0, {}

    def _write(self) -> None:
        self._file.parent.mkdir(exist_ok=True)
        replace_file(self._file, json.dumps({"results": self._sent, "kept": self._kept}))

    def _say(self, what: str) -> None:
        self._terminal.write(f"evo: tracking with {self._name}: {what}\n")


def _settings(viewed: Viewed) -> Mapping[str, Any]:
    """Return what trackers show of the configuration, by dotted name; neither addresses nor paths are among it."""
    config = viewed.config
    sections: dict[str, Mapping[str, Any]] = {
        "search": config.search.model_dump(mode="json"),
        "budget": config.budget.model_dump(mode="json"),
        "noise": config.noise.model_dump(mode="json"),
        "operators": config.operators.weights,
    }
    values = {f"{section}.{key}": value for section, keys in sections.items() for key, value in keys.items()}
    return {name: value for name, value in values.items() if value is not None} | {
        "llm.model": ", ".join(one.name for one in config.llm.entries)
    }


def _in_a_line(error: Exception) -> str:
    """Return what an error says, cut, without what may be a password in an address."""
    words = " ".join(visible(str(error)).split())
    return f"{type(error).__name__}: {_USER_OF_ADDRESS.sub('//…@', words)}"[:_MOST_CHARACTERS].rstrip(".")


def _leave_the_terminal(log: Path) -> TextIO:
    """Send what libraries print into a file, and return the stderr of until now."""
    terminal = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    log.parent.mkdir(exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)
    return terminal


def main() -> None:
    """Track the run at `argv[1]` with the tracker `argv[2]` until its driver has ended."""
    folder, name = RunFolder(Path(sys.argv[1])), sys.argv[2]
    ended = threading.Event()
    accompany(ended.set)
    while not folder.config.is_file():  # the last file of a new run
        if ended.wait(_LOOKING_SECONDS):
            return
    terminal = _leave_the_terminal(folder.tracking / f"{name}.log")
    tracking = Tracking(folder, name, TRACKERS[name](), terminal)

    def enforce() -> None:
        ended.wait()
        time.sleep(ENDING_SECONDS)
        tracking.give_up()

    threading.Thread(target=enforce, daemon=True).start()
    tracking.follow(ended)


if __name__ == "__main__":
    main()
