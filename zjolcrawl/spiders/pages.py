"""Parses pages with a time limit, so that a hostile page cannot stop the crawl."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article
from zjolcrawl.parsing.column_page import ColumnPage
from zjolcrawl.parsing.deadline import LimitExceeded, within

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)


class PageReader:
    """Parses each page within `seconds` of processor time (setting PAGE_SECONDS)."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds

    def read(self, body: bytes, url: str) -> RawArticle | Stub | NotArticle:
        """The result of `read_article`, or a NotArticle with the reason if it took too long."""
        try:
            return within(self.seconds, read_article, body, url)
        except LimitExceeded as error:
            return NotArticle(str(error))

    def read_list(
        self, read: Callable[[bytes, str], ColumnPage], body: bytes, url: str
    ) -> ColumnPage:
        """The result of `read`, or a page with a fault if it took too long."""
        try:
            return within(self.seconds, read, body, url)
        except LimitExceeded as error:
            return ColumnPage(fault=str(error))

    def read_other(
        self, read: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result | None:
        """The result of `read`, or None and a logged warning if it took too long."""
        try:
            return within(self.seconds, read, *given, **named)
        except LimitExceeded as error:
            logger.warning("%s: %s", given[-1] if isinstance(given[-1], str) else "A page", error)
            return None
