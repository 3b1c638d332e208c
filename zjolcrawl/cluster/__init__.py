"""Many workers on one crawl: what they share is in Redis, what must last is in MongoDB.

Nothing here is used, and no Redis client imported, unless REDIS_URL is set.

    server.py      the connection, one error for all that can go wrong
    scripts.py     what must happen in Redis in one step
    membership.py  a process that lives: its heartbeat, and what it does when Redis was away
    manners.py     how often, and how often at once, a host is asked by all processes together
    crawl.py       the crawl that the workers share: its queue, its seen-set, its leader
    orders.py      a request as text, and back
    scheduler.py   the worker: between the shared queue and Scrapy's engine
    start.py       start links come from the leader alone
"""

from __future__ import annotations

from scrapy.crawler import Crawler


def is_worker(crawler: Crawler) -> bool:
    """Whether the crawl is one of a crowd: REDIS_URL is set and the spider can share its work."""
    return bool(crawler.settings.get("REDIS_URL")) and getattr(crawler.spider, "shareable", False)


class CrowdLost(Exception):
    """Redis stayed away, or the run ends: what waited for it was not done, and stays as it was."""
