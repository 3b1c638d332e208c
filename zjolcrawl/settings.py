"""Every setting of zjolcrawl, its default and why.

Order of precedence: `-s NAME=VALUE`, then (where `_environment` is used) an environment variable
of the same name, then this file.
"""

import os

from scrapy.settings import default_settings

from zjolcrawl import __version__


def _environment(name: str, default: str) -> str:
    """The environment variable of a setting's own name, which wins over the default here."""
    return os.environ.get(name) or default


BOT_NAME = "zjolcrawl"
SPIDER_MODULES = ["zjolcrawl.spiders"]
NEWSPIDER_MODULE = "zjolcrawl.spiders"
COMMANDS_MODULE = "zjolcrawl.commands"

# --- where things are kept -------------------------------------------------------------------
# Empty URI: a private mongod (optional dependency `zjolcrawl[embedded]`) on DATA_DIR/mongodb.
MONGODB_URI = _environment("MONGODB_URI", "")
MONGODB_DATABASE = _environment("MONGODB_DATABASE", "zjol")
DATA_DIR = _environment("DATA_DIR", "data")
# Every response as it came, in DATA_DIR/warc; a file that has reached the size is followed by the next.
WARC = "on"
WARC_MAX_BYTES = 1024**3
# s3://BUCKET/PREFIX, to which `scrapy archive push` brings complete files; with Scrapy's AWS_… settings.
WARC_STORE = _environment("WARC_STORE", "")
# The bytes of an article's images; off keeps the references alone. Scrapy's FILES_STORE names another
# place than DATA_DIR/images: s3://BUCKET/PATH, gridfs://BUCKET in the same database …
IMAGES = "on"
FILES_STORE = _environment("FILES_STORE", "")
IMAGES_MAX_BYTES = 20 * 1024 * 1024
IMAGES_MAX_COUNT = 200
# A stored article is visited again so many days after its publication, for edits and takedowns.
RECHECK_DAYS = "1,3,7,30"
# A link that failed so many times in a row is not tried again: about five weeks.
GIVE_UP_AFTER = 12
# A page that is gone, or no article, is visited again so many days later, then so many …, as long as visits
# agree; a stored article is taken down once so many agree. An outage of a day or two, or a page that is
# withdrawn for a correction, decides nothing; a link that is nothing costs six visits in a month.
CONFIRM_DAYS = "1,2,4,8,16"
CONFIRM_VISITS = 3
# So many links of one host that look gone or rejected at once, and half of its visits: it is the host that
# is out of order, and nothing is believed. Fewer are seen on a good day. 0: each page is believed.
FLIP_ALARM = 5
# So often a column is read to its last page, since old pages change too; in between a walk ends at
# the first page without an unknown link.
FULL_SWEEP_DAYS = 7
# Pages of one list, after which a walk stops: a list may go on for ever. Real columns have 50 and more.
COLUMN_MAX_PAGES = 2000
# One bulk write for so many documents, or after so many seconds: bulk upserts cost 2.5 % of a
# crawl where single inserts cost 20 %.
MONGODB_BATCH_SIZE = 200
MONGODB_BATCH_SECONDS = 2.0
# While MongoDB is away, what was read goes to DATA_DIR/spool and what must be asked waits; after so
# many seconds the run ends, and the next one takes in the spool.
MONGODB_PATIENCE = 600
# Where alarms are carried: an address that takes a JSON POST; a mail address (with Scrapy's MAIL_…).
ALARM_WEBHOOK = _environment("ALARM_WEBHOOK", "")
ALARM_MAIL = _environment("ALARM_MAIL", "")

# Runs on one database share a crawl by host (README, "Parallel runs"). A run that has not renewed its leases for so
# many seconds counts as dead, and other runs get its hosts. More than the slowest page takes on a busy machine.
LEASE_SECONDS = 15

# --- manners ---------------------------------------------------------------------------------
USER_AGENT = f"Mozilla/5.0 (compatible; zjolcrawl/{__version__}; news archive; +https://pypi.org/p/zjolcrawl)"
ROBOTSTXT_OBEY = True
# Seconds after which a run fetches a host's robots.txt again (RFC 9309, 2.4: at most a day).
ROBOTSTXT_MAX_AGE = 24 * 3600
CONCURRENT_REQUESTS_PER_DOMAIN = 2
DOWNLOAD_DELAY = 1.0
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_TARGET_CONCURRENCY = 1.0
DOWNLOAD_TIMEOUT = 60
# An article page is 20-200 KB; anything near this is not one.
DOWNLOAD_MAXSIZE = 20 * 1024 * 1024
DOWNLOAD_WARNSIZE = 4 * 1024 * 1024
RETRY_TIMES = 2
# What came of an answer before the connection was lost is archived; DecompressionMiddleware takes it for
# broken and asks again.
DOWNLOAD_FAIL_ON_DATALOSS = False
# Without 429: who is asked to wait does not ask again at once; the frontier keeps the Retry-After.
RETRY_HTTP_CODES = [500, 502, 503, 504, 522, 524, 408]
# When nothing is fetched, China time: "01:00-05:30". A run ends when they begin; what is left stays
# pending.
QUIET_HOURS = _environment("QUIET_HOURS", "")
COOKIES_ENABLED = False

# A name of the site that resolves into a private network is not fetched.
TWISTED_DNS_RESOLVER = "zjolcrawl.resolver.PublicResolver"

# Certificates that cannot be verified are accepted, and the run's warnings name their hosts; True refuses
# them. The system's authorities decide, or those of SSL_CERT_FILE.
DOWNLOAD_VERIFY_CERTIFICATES = False
DOWNLOAD_HANDLERS = {
    "http": "zjolcrawl.handlers.LeasedHandler",
    "https": "zjolcrawl.certificates.CertificateHandler",
}

# --- how a page flows ------------------------------------------------------------------------
SPIDER_MIDDLEWARES = {
    # Nearest the engine: sees what the other spider middlewares let through, so that each link is
    # in the frontier before its request can be scheduled.
    "zjolcrawl.middlewares.frontier.FrontierMiddleware": 50,
    # Spiders decide themselves which statuses mean what: a 404 is a state, not noise.
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    # It drops a link of more than 2,083 characters without a word, which would stay pending for ever.
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    # Nothing here asks how deep a request is, nor copies a response's meta. Each of these is two
    # asynchronous generators around all that a page yields.
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
DOWNLOADER_MIDDLEWARES = {
    # First: what the archive answers needs no robots.txt, no delay and no socket.
    "zjolcrawl.middlewares.replay.ReplayMiddleware": 10,
    "zjolcrawl.middlewares.leaving.LeavingMiddleware": 20,
    # In the place of Scrapy's own, which lets through what must not be filtered as a duplicate.
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "zjolcrawl.middlewares.own_hosts.OwnHostsMiddleware": 50,
    # In the place of Scrapy's own, which lets requests pass that wait for a slow robots.txt.
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "zjolcrawl.middlewares.robots.RobotsMiddleware": 100,
    # In the place of Scrapy's own, which guesses the charset of still-compressed bytes when the
    # server names none (measured 0.54x of the crawl rate).
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "zjolcrawl.middlewares.decompression.DecompressionMiddleware": 590,
    # Nearest the downloader: the bytes as they came over the wire.
    "zjolcrawl.middlewares.archive.ArchiveMiddleware": 950,
    # Redirects must stay on the site's own hosts, so they are judged before they are followed.
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    # The site asks for no password, and no one reads these counts.
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,
}
ITEM_PIPELINES = {
    "zjolcrawl.pipelines.normalize.NormalizePipeline": 100,  # the page's strings -> values
    "zjolcrawl.pipelines.validate.ValidatePipeline": 200,  # no title or no text -> rejected
    "zjolcrawl.pipelines.images.ImagePipeline": 500,  # the bytes of what will be stored
    "zjolcrawl.pipelines.mongodb.MongoDBPipeline": 900,  # last: what arrives here is stored
}
# Scrapy imports what a setting gives None, too: without these two a crawl takes 9 MB less. They are
# token-guarded ports that run code, on by default in 2.19: nothing here needs them.
EXTENSIONS_BASE = {
    name: order
    for name, order in default_settings.EXTENSIONS_BASE.items()
    if name.rpartition(".")[2] not in {"TelnetConsole", "RemoteControl"}
}
EXTENSIONS = {
    "zjolcrawl.extensions.run_ledger.RunLedger": 100,  # opens and closes the store, exit status
    "zjolcrawl.extensions.quiet_hours.QuietHours": 200,
    "zjolcrawl.extensions.progress.Progress": 500,
}
# So many tasks are begun for each response: the default of 100 takes bare Scrapy 1.6 times as long as 4. A
# page here gives one item; with 1 a crawl takes 0.9 of the time that it takes with 4.
CONCURRENT_ITEMS = 1
# Bytes of pages that are fetched and not done with, above which no more are fetched: some twenty pages, enough to
# keep all busy; with the default of 5 MB the memory's peak is 10 MB higher and a crawl no faster. Pages that wait
# for their images count too: who raises CONCURRENT_REQUESTS for many hosts raises this as well.
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 1_000_000

# Seconds of processor time after which a page that is not read is rejected, its bytes kept: a page takes
# milliseconds, a hostile one could stop a crawl. Less than LEASE_SECONDS, or the run counts as dead. 0 sets no bound.
PAGE_SECONDS = 10

# Tried and left: uvloop (ASYNCIO_EVENT_LOOP; 0.96 of the rate), Scrapy's experimental aiohttp handler (0.97,
# and it resolves names without TWISTED_DNS_RESOLVER, so past the guard above).

# --- talk ------------------------------------------------------------------------------------
# Under cron a good run prints its summary and nothing else; -L INFO tells more.
LOG_LEVEL = _environment("LOG_LEVEL", "WARNING")
LOGSTATS_INTERVAL = 0
