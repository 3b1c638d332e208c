"""What `tests.support.warm` imports once, for all crawls: Scrapy's parts and the product's.

Not the settings, which read the environment, and not a reactor, which each process must make for itself.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from pkgutil import walk_packages

from scrapy.settings import default_settings as scrapys

import zjolcrawl

for path in (
    *scrapys.DOWNLOADER_MIDDLEWARES_BASE, *scrapys.SPIDER_MIDDLEWARES_BASE, *scrapys.EXTENSIONS_BASE,
    scrapys.DUPEFILTER_CLASS, scrapys.SCHEDULER_PRIORITY_QUEUE, scrapys.SCHEDULER_MEMORY_QUEUE,
):  # fmt: skip
    import_module(path.rpartition(".")[0])
for module in walk_packages(zjolcrawl.__path__, "zjolcrawl."):
    if module.name != "zjolcrawl.settings":
        import_module(module.name)
assert "twisted.internet.reactor" not in sys.modules
gc.freeze()  # else the first collection of each crawl copies all of it
