"""Modules of Scrapy and the product that `tests.support.warm` imports once for all crawls.

Without the settings, which read the environment, and without a reactor, which each process must create.
"""

from __future__ import annotations

import gc
import pickle
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from itertools import product
from pkgutil import walk_packages

from scrapy import cmdline, spiderloader
from scrapy.settings import BaseSettings, Settings
from scrapy.settings import default_settings as scrapys
from scrapy.utils import log, versions

import zjolcrawl
from tests.support.goldens import read, sidecars
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES, EDITOR_ROLES, role_patterns
from zjolcrawl.site.catalogue import load_catalogue
from zjolcrawl.site.current import use_site
from zjolcrawl.site.papers import load_papers

for path in (
    *scrapys.DOWNLOADER_MIDDLEWARES_BASE, *scrapys.SPIDER_MIDDLEWARES_BASE, *scrapys.EXTENSIONS_BASE,
    *scrapys.DOWNLOAD_HANDLERS_BASE.values(), scrapys.DUPEFILTER_CLASS, scrapys.LOG_FORMATTER, scrapys.STATS_CLASS,
    scrapys.SCHEDULER_PRIORITY_QUEUE, scrapys.SCHEDULER_MEMORY_QUEUE,
):  # fmt: skip
    import_module(path.rpartition(".")[0])
for module in walk_packages(zjolcrawl.__path__, "zjolcrawl."):
    if module.name != "zjolcrawl.settings":
        import_module(module.name)
# For each command line Scrapy reads the metadata of all installed packages, looks for the commands and spiders in all
# their modules, and copies the settings several times, for which deepcopy takes four times as long as pickle.
cmdline.entry_points = cache(entry_points)
_classes, _modules = cmdline._iter_command_classes, spiderloader.walk_modules_iter
cmdline._iter_command_classes = cache(lambda module: tuple(_classes(module)))
spiderloader.walk_modules_iter = cache(lambda module: tuple(_modules(module)))
BaseSettings.copy = lambda self: pickle.loads(pickle.dumps(self, pickle.HIGHEST_PROTOCOL))
_versions = versions.get_versions()
log.get_versions = lambda _: _versions
spiderloader.SpiderLoader.from_settings(Settings({"SPIDER_MODULES": ["zjolcrawl.spiders"]}))
cmdline._get_commands_dict(Settings({"COMMANDS_MODULE": "zjolcrawl.commands"}), inproject=True)
# Patterns that are compiled and tables that are read at the first page of a site.
use_site("")
for path in sidecars("document")[:20]:
    read(path)
for roles, either in product((AUTHOR_ROLES, EDITOR_ROLES), (False, True)):
    role_patterns(roles, either)
load_catalogue()
load_papers()
assert "twisted.internet.reactor" not in sys.modules
gc.freeze()  # otherwise the first garbage collection of each crawl copies all of it
