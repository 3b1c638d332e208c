"""Memoised "is inside" test for elements: linear on deep pages, where a plain test is quadratic."""

from __future__ import annotations

from collections.abc import Callable

from lxml.html import HtmlElement


class Under:
    """Tells whether an element has an ancestor that passes `test`; each ancestor is tested once."""

    def __init__(self, test: Callable[[HtmlElement], bool]) -> None:
        self._test = test
        # lxml creates proxies on demand: as dict keys they stay alive, so an ancestor is found again.
        self._known: dict[HtmlElement, bool] = {}

    def __call__(self, element: HtmlElement) -> bool:
        path: list[HtmlElement] = []
        here = element.getparent()
        while here is not None and here not in self._known:
            path.append(here)
            here = here.getparent()
        answer = here is not None and self._known[here]
        for ancestor in reversed(path):
            answer = answer or self._test(ancestor)
            self._known[ancestor] = answer
        return answer
