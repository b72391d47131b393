"""Driving a search from Python: in this thread where that is possible, else in one of its own."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, wait
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
    """Drives a run in a thread of its own, since its store and its event loop belong to one."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(name="evo-driver", daemon=True)
        self._opened = opened
        self._driver: Future[SearchDriver] = Future()
        self._end: Future[Stopped] = Future()

    @property
    def driver(self) -> SearchDriver:
        """The driver of the run, once it is open."""
        return self._driver.result()

    def open(self) -> None:
        """Start, and return once the run is open; raises what keeps it from opening."""
        self.start()
        self._driver.result()

    def run(self) -> None:
        """Drive the run; how it ended is what `result` returns or raises."""
        try:
            with self._opened() as driver:
                self._driver.set_result(driver)
                end = driver.drive()
            self._end.set_result(end)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for it
            if not self._driver.done():
                self._driver.set_exception(error)
            self._end.set_exception(error)

    def result(self) -> Stopped:
        """Wait for the end of the run and return it; raises what ended it."""
        self.wait()
        return self._end.result()

    def wait(self) -> None:
        """Wait for the end of the run; unlike `join`, which takes a thread for ended when a signal interrupts it."""
        while not wait([self._end], timeout=_SIGNALS_SECONDS).done:
            pass

    def interrupt(self) -> None:
        """Have the run stop after saving."""
        if self._driver.done() and self._driver.exception() is None:
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
