"""Measures CPU time, with a limit for calls that hang."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any


class Hangs(BaseException):
    """Raised in a call that takes too long."""


def seconds(use: Callable[..., object], *given: Any, most: float) -> float:
    """CPU seconds of a call; infinity if more than `most`."""
    return _measured(time.process_time, use, *given, most=most)


def glance(use: Callable[..., object], *given: Any, most: float) -> float:
    """Wall-clock time of a call, for calls far below the resolution of the CPU clock."""
    return _measured(time.perf_counter, use, *given, most=most)


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
