"""Limits the CPU time that parsing one page may take."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")
# Seconds until the alarm repeats, because Python drops an exception raised in a weakref callback.
_AGAIN = 0.05


class LimitExceeded(Exception):
    """A page exceeds a limit of the parser, in time or in markup; the message gives the limit and the next step."""


class _Alarm(BaseException):
    """Raised inside the parser. A BaseException, so that no `except Exception` swallows it."""


class _Clock:
    running = False


_HAS_ALARM = hasattr(signal, "setitimer")


def within(
    seconds: float, read: Callable[_Given, _Found], *given: _Given.args, **named: _Given.kwargs
) -> _Found:
    """Call `read` and return its result. Raises LimitExceeded after `seconds` of this process's CPU time.

    The alarm interrupts Python and `re`, but not libxml2; `parsing.surplus_attributes` keeps slow input away
    from libxml2. Time spent waiting for other processes does not count. Only the main thread gets
    signals, so a call in another thread sets no limit. A nested call sets none of its own either.
    `seconds=0` means no limit, and so does Windows, which has no such alarm.
    """
    if (
        _Clock.running
        or not _HAS_ALARM
        or threading.current_thread() is not threading.main_thread()
    ):
        return read(*given, **named)
    if signal.getsignal(signal.SIGVTALRM) is not _ring:
        signal.signal(signal.SIGVTALRM, _ring)
    try:
        try:
            _Clock.running = True
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN)
            return read(*given, **named)
        finally:
            _stop()
    except _Alarm:
        _stop()  # the alarm may have repeated during cleanup
    # Not in the handler: as its context, the alarm would hold the page.
    raise LimitExceeded(
        f"takes too long: not read in {seconds:g} s of processor time. Its bytes are in the archive: "
        "raise PAGE_SECONDS and run `scrapy crawl reparse -a url=…`"
    )


def _stop() -> None:
    _Clock.running = False
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _ring(_number: int, _frame: FrameType | None) -> None:
    if _Clock.running:  # ignore a late signal
        raise _Alarm
