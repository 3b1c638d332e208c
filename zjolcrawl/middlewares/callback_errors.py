"""Spider middleware that turns an exception in a callback into a recorded outcome."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from scrapy.http import Response

from zjolcrawl.items import ColumnVisit, Outcome
from zjolcrawl.messages import typed
from zjolcrawl.request_meta import SEEN_AT, WARC
from zjolcrawl.storage.errors import StoreError

logger = logging.getLogger(__name__)


class CallbackErrorMiddleware:
    """Rejects the link, or fails the column page, whose callback raised; the run continues."""

    async def process_spider_exception(
        self, response: Response, exception: Exception
    ) -> AsyncIterator[Any]:
        """Yield the outcome and log the traceback."""
        callback_args = response.request.cb_kwargs if response.request else {}
        reason, seen_at = typed(exception), response.meta.get(SEEN_AT)
        logger.error("Could not process %s", response.url, exc_info=exception)
        if isinstance(exception, StoreError):
            return  # MongoDB was lost, which says nothing about the page: it stays pending
        if link := callback_args.get("link"):
            yield Outcome(
                link.url, "rejected", reason, status=response.status, final_url=response.url,
                seen_at=seen_at, warc=response.meta.get(WARC),
            )  # fmt: skip
        elif column := callback_args.get("column"):
            yield ColumnVisit(
                column.id, response.url, callback_args["number"], 0,
                entry=asdict(column), error=reason, seen_at=seen_at,
            )  # fmt: skip
