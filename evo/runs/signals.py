"""Graceful shutdown on SIGINT, SIGTERM and SIGHUP while an event loop works."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def heeding_signals(work: Coroutine[Any, Any, _Result], interrupt: Callable[[], None]) -> _Result:
    """Await `work`; the first signal calls `interrupt`, the second one ends the process at once.

    Only the main thread can handle signals: elsewhere they are left to it.
    """
    if threading.current_thread() is not threading.main_thread():
        return await work
    loop = asyncio.get_running_loop()
    # `nohup` lets a process ignore that its terminal is gone.
    heeded = [number for number in _SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]

    def stop() -> None:
        for number in heeded:
            loop.remove_signal_handler(number)
            # Even a busy event loop does not delay it; what was kept is safe and the candidates end with their driver.
            signal.signal(number, signal.SIG_DFL)
        interrupt()

    for number in heeded:
        loop.add_signal_handler(number, stop)
    return await work
