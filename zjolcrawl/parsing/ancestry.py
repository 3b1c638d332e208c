"""What an element stands in, asked of many elements without the square of the page's depth."""

from __future__ import annotations

from collections.abc import Callable

from lxml.html import HtmlElement


class Under:
    """Whether an element has an ancestor that passes a test; each ancestor is tested once."""

    def __init__(self, test: Callable[[HtmlElement], bool]) -> None:
        self._test = test
        # The keys keep their elements alive, so that an ancestor stays the same object.
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
