"""Responses that a test sets instead of files, also while the proxy runs."""

import threading
from collections import deque
from collections.abc import Sequence

from tests.support.site.messages import Answer, Request, Responder
from tests.support.site.urls import normalize


class Overrides:
    """Responses by exact URL, including the query; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_url: dict[str, Responder | deque[Answer]] = {}
        self._by_host: dict[str, Responder] = {}

    def set(self, url: str, answer: Answer | Sequence[Answer] | Responder) -> None:
        """Answer `url` like this from now on; a sequence is used one per request, and its last entry stays.

        Raises `ValueError` for an empty sequence and for a URL that is not absolute.
        """
        override: Responder | deque[Answer]
        if isinstance(answer, Answer):
            override = deque([answer])
        elif isinstance(answer, Sequence):
            override = deque(answer)
            if not override:
                raise ValueError("an empty sequence answers nothing")
        else:
            override = answer
        with self._lock:
            self._by_url[normalize(url)] = override

    def set_host(self, host: str, responder: Responder) -> None:
        """Answer each URL of `host` that has no answer of its own."""
        with self._lock:
            self._by_host[host] = responder

    def unset(self, url: str) -> None:
        """Answer `url` from the files again; no error if it was not set."""
        with self._lock:
            self._by_url.pop(normalize(url), None)

    def clear(self) -> None:
        """Answer every URL from the files again."""
        with self._lock:
            self._by_url.clear()
            self._by_host.clear()

    def answer(self, request: Request) -> Answer | None:
        """The response set for the request; it is removed if others follow. None if there is none."""
        with self._lock:
            override = self._by_url.get(request.url) or self._by_host.get(request.host)
            if isinstance(override, deque):
                return override.popleft() if len(override) > 1 else override[0]
        # Outside the lock, so that a responder may itself set and unset answers.
        return override(request) if override else None
