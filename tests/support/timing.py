"""Measures CPU time, with a limit for calls that hang."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import cache
from types import FrameType
from typing import Any


class Hangs(BaseException):
    """Raised in a call that takes too long."""


def seconds(use: Callable[..., object], *given: Any, most: float) -> float:
    """CPU seconds of a call; infinity if more than `most`."""
    return _measured(time.process_time, use, *given, most=most)


def glance(use: Callable[..., object], *given: Any, most: float) -> float:
    """Time of a call that may be short: CPU time if its clock is fine enough here, otherwise wall-clock time."""
    return _measured(_fine_clock(), use, *given, most=most)


@cache
def _fine_clock() -> Callable[[], float]:
    """Some systems count CPU time in ticks of 4 ms, whatever resolution they name."""
    begun, end = time.thread_time(), time.perf_counter() + 0.001
    while time.perf_counter() < end:
        if 0 < time.thread_time() - begun < 0.00002:
            return time.thread_time
        begun = time.thread_time()
    return time.perf_counter


def _measured(
    clock: Callable[[], float], use: Callable[..., object], *given: Any, most: float
) -> float:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hangs

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, most)
    begun = clock()
    try:
        use(*given)
        return clock() - begun
    except Hangs:
        return float("inf")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
