"""Parses pages with a time limit, so that a hostile page cannot stop the crawl."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from zjolcrawl.items import RawArticle
from zjolcrawl.messages import without_stack
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article
from zjolcrawl.parsing.column_page import ColumnPage
from zjolcrawl.parsing.deadline import LimitExceeded, within

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)


class PageReader:
    """Parses each page within `seconds` of processor time (setting PAGE_SECONDS).

    `tell` gets a line for each page that exceeded a limit.
    """

    def __init__(self, seconds: float = 10.0, tell: Callable[[str], None] = logger.warning) -> None:
        self.seconds = seconds
        self.tell = tell

    def read(self, body: bytes, url: str) -> RawArticle | Stub | NotArticle:
        """The result of `read_article`, or a NotArticle with the reason if the page exceeded a limit."""
        found = self._within(url, read_article, body, url)
        return NotArticle(str(found)) if isinstance(found, LimitExceeded) else found

    def read_list(
        self, read: Callable[[bytes, str], ColumnPage], body: bytes, url: str
    ) -> ColumnPage:
        """The result of `read`, or a page with a fault if the page exceeded a limit."""
        found = self._within(url, read, body, url)
        return ColumnPage(fault=str(found)) if isinstance(found, LimitExceeded) else found

    def read_other(
        self, read: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result | None:
        """The result of `read`, or None if the page exceeded a limit."""
        name = given[-1] if isinstance(given[-1], str) else "A page"
        found = self._within(name, read, *given, **named)
        return None if isinstance(found, LimitExceeded) else found

    def _within(
        self,
        name: str,
        read: Callable[_Given, _Result],
        *given: _Given.args,
        **named: _Given.kwargs,
    ) -> _Result | LimitExceeded:
        """The result of `read`, or the limit that it exceeded, which is logged."""
        try:
            return within(self.seconds, read, *given, **named)
        except LimitExceeded as error:
            self.tell(f"{name}: {error}")
            return without_stack(error)
