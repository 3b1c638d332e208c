"""Full-text search. See `catchup` for how the index stays up to date and `searcher` for how hits rank."""

from zjolcrawl.search.catchup import catch_up
from zjolcrawl.search.index import SearchIndex
from zjolcrawl.search.query import QueryError
from zjolcrawl.search.searcher import ORDERS, SPANS, Results, Search, matching, search

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
