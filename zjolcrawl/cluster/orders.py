"""What is asked for as text, so that any worker can ask for it.

Only what begins something is shared: a column's first page, an article's first request. What follows
from it (further pages, redirects, another try) stays with the worker that began it. An order is JSON:
no worker runs what another, or whoever can write to Redis, has pickled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scrapy import Request
from scrapy.utils.httpobj import urlparse_cached

from zjolcrawl.items import Link
from zjolcrawl.middlewares.frontier import CONDITIONS

ORDER = "order"
"""The id of its order in a request's meta, and so in that of whatever Scrapy makes of the request."""
_LIST, _ARTICLE = 0, 1  # ranks: lists first, what was found is recorded early


@dataclass(frozen=True, slots=True)
class Order:
    """`id` is the link's URL, or `column_id` of a column; `text` all that there is to know."""

    id: str
    text: str


def column_id(column: str) -> str:
    """The id of the order for a walk through a column."""
    return f"column {column}"


def order_of(request: Request) -> Order | None:
    """The order for a request that begins something; None for what follows from something."""
    if ORDER in request.meta:
        return None
    given, host = request.cb_kwargs, urlparse_cached(request).hostname or ""
    if "walk" in given:
        ident = column_id(given["column"].id)
        return None if given["number"] else _order(ident, host, _LIST, column=given["column"].id)
    link: Link | None = given.get("link")
    if link is None or given.get("trail") or "parts" in given:
        return None
    headers = {name: request.headers.get(header) for name, header in CONDITIONS.items()}
    return _order(
        link.url, host, _ARTICLE,
        fetch_url=request.url, columns=link.columns, kind=link.kind,
        listed_at=link.listed_at.isoformat() if link.listed_at else None,
        row={name: value.decode("latin-1") for name, value in headers.items() if value},
    )  # fmt: skip


def link_of(order: dict[str, Any]) -> Link:
    """The link of an article's order."""
    at = order["listed_at"]
    return Link(
        order["id"], order["kind"], order["columns"],
        listed_at=datetime.fromisoformat(at) if at else None,
    )  # fmt: skip


def _order(ident: str, host: str, rank: int, **more: Any) -> Order:
    told = {"id": ident, "host": host, "rank": rank, **more}
    return Order(ident, json.dumps(told, ensure_ascii=False, separators=(",", ":")))
