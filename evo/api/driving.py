"""Driving a search from Python: in this thread where that is possible, else in one of its own."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from evo.runs.lifecycle import SearchDriver
from evo.search.stopping import Stopped
from trainer.errors import EvoError

_Result = TypeVar("_Result")

_SIGNALS_SECONDS = 0.2
"""A signal that another thread received is handled in the main thread once that runs again: at most so late."""

Opened = Callable[[], AbstractContextManager[SearchDriver]]


class SearchEnded(EvoError):  # noqa: N818 - named for what is the case
    """There is nothing more to evaluate: the search has ended."""


def drive(opened: Opened) -> Stopped:
    """Open a run, drive it to its end, and return how it ended.

    The first SIGINT, or KeyboardInterrupt in a notebook, stops the run after saving; a second one stops at once.
    """
    return _drive_here(opened) if _may_drive_here() else _drive_elsewhere(opened)


class DriverThread(threading.Thread):
    """Drives a run in a thread of its own, since its store and its event loop belong to one.

    Attributes:
        driver: of the run, once it is open.
    """

    driver: SearchDriver

    def __init__(self, opened: Opened) -> None:
        super().__init__(name="evo-driver", daemon=True)
        self._opened = opened
        self._is_settled = threading.Event()
        self._is_done = threading.Event()
        self._end: Stopped | None = None
        self._error: BaseException | None = None

    def open(self) -> None:
        """Start, and return once the run is open; raises what keeps it from opening."""
        self.start()
        self._is_settled.wait()
        if not hasattr(self, "driver"):
            self.result()

    def run(self) -> None:
        """Drive the run; how it ended is what `result` returns or raises."""
        try:
            with self._opened() as driver:
                self.driver = driver
                self._is_settled.set()
                self._end = driver.drive()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for it
            self._error = error
        finally:
            self._is_settled.set()
            self._is_done.set()

    def result(self) -> Stopped:
        """Wait for the end of the run and return it; raises what ended it."""
        self.wait()
        if self._error is not None:
            raise self._error
        assert self._end is not None  # noqa: S101 - one of the two is there
        return self._end

    def wait(self) -> None:
        """Wait for the end of the run; unlike `join`, which takes a thread for ended when a signal interrupts it."""
        while not self._is_done.wait(_SIGNALS_SECONDS):
            pass

    def interrupt(self) -> None:
        """Have the run stop after saving."""
        if hasattr(self, "driver"):
            self.driver.interrupt()

    def call(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Return the result of a coroutine that runs between the steps of the search.

        Raises:
            SearchEnded: the search has ended; whatever else ended it is raised instead.
        """
        future = self.driver.submit(work)
        try:
            if future is not None:
                return future.result()
        except CancelledError:
            pass
        raise SearchEnded(f"The search has ended: {self.result().reason}.")


def _may_drive_here() -> bool:
    """Return whether this thread can handle signals and has no running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return threading.current_thread() is threading.main_thread()
    return False


def _drive_here(opened: Opened) -> Stopped:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with opened() as driver:
            return driver.drive()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _drive_elsewhere(opened: Opened) -> Stopped:
    thread = DriverThread(opened)
    try:
        thread.open()
        return thread.result()
    except KeyboardInterrupt:
        thread.interrupt()
        return thread.result()  # a second interruption is raised
