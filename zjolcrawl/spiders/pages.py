"""Reading pages within bounds: what takes too long costs itself alone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article
from zjolcrawl.parsing.column_page import ColumnPage
from zjolcrawl.parsing.deadline import TooLong, within

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)


class PageReader:
    """Reads each page in so many `seconds` of processor time at most (PAGE_SECONDS)."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds

    def read(self, body: bytes, url: str) -> RawArticle | Stub | NotArticle:
        """What `read_article` returns; a NotArticle that says so where it took too long."""
        try:
            return within(self.seconds, read_article, body, url)
        except TooLong as error:
            return NotArticle(str(error))

    def read_list(
        self, read: Callable[[bytes, str], ColumnPage], body: bytes, url: str
    ) -> ColumnPage:
        """What `read` returns; a page with a fault where it took too long."""
        try:
            return within(self.seconds, read, body, url)
        except TooLong as error:
            return ColumnPage(fault=str(error))

    def read_other(
        self, read: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result | None:
        """What `read` returns; None, with a warning in the log, where it took too long."""
        try:
            return within(self.seconds, read, *given, **named)
        except TooLong as error:
            logger.warning("%s: %s", given[-1] if isinstance(given[-1], str) else "A page", error)
            return None
