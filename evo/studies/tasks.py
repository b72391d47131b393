"""The loop of everything that works on several things at a time: `evo compare`, `evo ablate`, `evo promote`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

_Task = TypeVar("_Task", bound="asyncio.Task[Any]")


async def run_tasks(
    running: dict[_Task, Any],
    launch: Callable[[], None],
    take_in: Callable[[_Task], None],
    interrupted: asyncio.Event,
    stop: Callable[[], Awaitable[None]],
) -> None:
    """Run tasks until there are none, or an interruption comes; none runs when it returns.

    Args:
        running: tasks by what they work on; those that did not finish in time are left in it.
        launch: adds the tasks that can begin to `running`.
        take_in: takes a finished task out of `running` and uses its result.
        interrupted: set when everything is to stop.
        stop: makes the tasks that still run end soon.
    """
    interruption = asyncio.create_task(interrupted.wait())
    try:
        while not interrupted.is_set():
            launch()
            if not running:
                break
            tasks: list[asyncio.Task[Any]] = [*running, interruption]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in running if task.done()]:
                take_in(task)
    finally:
        interruption.cancel()
        await stop()
        await asyncio.gather(*running, return_exceptions=True)
