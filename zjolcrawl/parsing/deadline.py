"""A bound on the processor time that one page may take to be read."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")
_AGAIN = (
    0.05  # seconds after which the alarm comes again: Python drops what a weakref's callback raises
)


class TooLong(Exception):
    """A page was not read in time; the message says how long and names the next step."""


class _Alarm(BaseException):
    """Raised inside the reading, where no `except Exception` may stop it."""


class _Clock:
    running = False


def within(
    seconds: float, read: Callable[_Given, _Found], *given: _Given.args, **named: _Given.kwargs
) -> _Found:
    """What `read` returns. Raises TooLong after so many seconds of this process's own processor time.

    The alarm interrupts Python and `re`, not libxml2, which is given nothing that takes it long (see
    `parsing.attributes`). It counts no time that others take from this process. Only the main thread
    gets signals: in another one, and inside another call, there is no bound of its own; with 0 seconds
    there is none at all.
    """
    if _Clock.running or threading.current_thread() is not threading.main_thread():
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
        _stop()  # it may have come again on the way here
        raise TooLong(
            f"takes too long: not read in {seconds:g} s of processor time. Its bytes are in the archive: "
            "raise PAGE_SECONDS and run `scrapy crawl reparse -a url=…`"
        ) from None


def _stop() -> None:
    _Clock.running = False
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _ring(_number: int, _frame: FrameType | None) -> None:
    if _Clock.running:  # a signal that comes late is nobody's
        raise _Alarm
