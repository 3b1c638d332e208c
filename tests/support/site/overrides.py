"""Answers that a test sets in the place of a file, changeable while the proxy runs."""

import threading
from collections import deque
from collections.abc import Sequence

from tests.support.site.messages import Answer, Request, Responder
from tests.support.site.urls import normalize


class Overrides:
    """Answers by exact URL (the query counts), thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_url: dict[str, Responder | deque[Answer]] = {}

    def set(self, url: str, answer: Answer | Sequence[Answer] | Responder) -> None:
        """Answer `url` so from now on; of a sequence one a request, and the last for ever.

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

    def unset(self, url: str) -> None:
        """Answer `url` from the files again; no error if it was not set."""
        with self._lock:
            self._by_url.pop(normalize(url), None)

    def clear(self) -> None:
        """Answer every URL from the files again."""
        with self._lock:
            self._by_url.clear()

    def answer(self, request: Request) -> Answer | None:
        """The answer set for the request, which uses it up if others follow; None without one."""
        with self._lock:
            override = self._by_url.get(request.url)
            if isinstance(override, deque):
                return override.popleft() if len(override) > 1 else override[0]
        # Outside the lock, so that a responder may itself set and unset answers.
        return override(request) if override else None
