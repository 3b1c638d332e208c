"""Modules of Scrapy and the product that `tests.support.warm` imports once for all crawls.

Without the settings, which read the environment, and without a reactor, which each process must create.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from pkgutil import walk_packages

from scrapy.settings import default_settings as scrapys

import zjolcrawl
from tests.support.goldens import read, sidecars
from zjolcrawl.site.catalogue import load_catalogue
from zjolcrawl.site.current import use_site
from zjolcrawl.site.papers import load_papers

for path in (
    *scrapys.DOWNLOADER_MIDDLEWARES_BASE, *scrapys.SPIDER_MIDDLEWARES_BASE, *scrapys.EXTENSIONS_BASE,
    scrapys.DUPEFILTER_CLASS, scrapys.SCHEDULER_PRIORITY_QUEUE, scrapys.SCHEDULER_MEMORY_QUEUE,
):  # fmt: skip
    import_module(path.rpartition(".")[0])
for module in walk_packages(zjolcrawl.__path__, "zjolcrawl."):
    if module.name != "zjolcrawl.settings":
        import_module(module.name)
# Patterns that are compiled and tables that are read at the first page of a site.
use_site("")
for path in sidecars("document")[:20]:
    read(path)
load_catalogue()
load_papers()
assert "twisted.internet.reactor" not in sys.modules
gc.freeze()  # otherwise the first garbage collection of each crawl copies all of it
