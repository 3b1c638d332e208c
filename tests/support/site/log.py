"""The log of requests in order of arrival."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace

from tests.support.site.messages import Request


class RequestLog:
    """Thread-safe; a request is logged on arrival and gets its status with the response."""

    def __init__(self, listener: Callable[[Request], None] | None = None) -> None:
        self._lock = threading.Lock()
        self._entries: dict[int, Request] = {}
        self._keys = itertools.count()
        self._listener = listener

    def add(self, request: Request) -> int:
        """Log an arrival; returns the key for `close`."""
        with self._lock:
            key = next(self._keys)
            self._entries[key] = request
        return key

    def close(self, key: int, request: Request, status: int | None) -> None:
        """Record the response and call the listener."""
        answered = replace(request, status=status)
        with self._lock:
            # A request from before a reset must not come back.
            if key in self._entries:
                self._entries[key] = answered
        if self._listener:
            self._listener(answered)

    def snapshot(self) -> list[Request]:
        """A copy that later requests do not change."""
        with self._lock:
            return list(self._entries.values())

    def reset(self) -> None:
        """Forget every request."""
        with self._lock:
            self._entries.clear()
