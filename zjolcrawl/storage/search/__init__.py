"""Full text in MongoDB: `search` for a page of hits, `matching` for all, `update` for the index."""

from zjolcrawl.storage.search.index import rebuild, update
from zjolcrawl.storage.search.query import Hit, QueryError, Results, matching, search, unindexed
from zjolcrawl.storage.search.words import terms

__all__ = [
    "Hit",
    "QueryError",
    "Results",
    "matching",
    "rebuild",
    "search",
    "terms",
    "unindexed",
    "update",
]
