"""Full text: what to know of it is in `catchup` (how it stays up to date) and `searching` (what is found)."""

from zjolcrawl.search.catchup import catch_up
from zjolcrawl.search.index import SearchIndex
from zjolcrawl.search.query import QueryError
from zjolcrawl.search.searching import ORDERS, SPANS, Results, Search, matching, search

__all__ = [
    "ORDERS",
    "SPANS",
    "QueryError",
    "Results",
    "Search",
    "SearchIndex",
    "catch_up",
    "matching",
    "search",
]
