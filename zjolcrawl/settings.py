"""All settings of zjolcrawl, with their defaults and the reasons for them.

Order of precedence: `-s NAME=VALUE`, then the environment variable of the same name (see the end), then
[settings] in zjolcrawl.toml in the working folder, then this file.
"""

import os
import sys

from scrapy.settings import default_settings

from zjolcrawl.site.description import SiteError
from zjolcrawl.site.own_file import own_settings

BOT_NAME = "zjolcrawl"
SPIDER_MODULES = ["zjolcrawl.spiders"]
NEWSPIDER_MODULE = "zjolcrawl.spiders"
COMMANDS_MODULE = "zjolcrawl.commands"

# The file that describes the site to crawl (docs/site.md, "Another site"). Empty: zjol.com.cn.
SITE_FILE = ""

# --- storage ---------------------------------------------------------------------------------
# Empty URI: a private mongod (optional dependency `zjolcrawl[embedded]`) on DATA_DIR/mongodb.
MONGODB_URI = ""
MONGODB_DATABASE = "zjol"
DATA_DIR = "data"
# Archive every response as it came, in DATA_DIR/warc; a new file starts at this size.
WARC = "on"  # off: no archive, and documents have no `warc`
WARC_MAX_BYTES = 1024**3
# s3://BUCKET/PREFIX for `scrapy archive push`, which uploads complete files; uses Scrapy's AWS_… settings.
WARC_STORE = ""
# Download the images of articles; off stores only their URLs. Scrapy's FILES_STORE replaces
# DATA_DIR/images: s3://BUCKET/PATH/ (extra `s3`, AWS_… settings), gridfs://BUCKET in the same database, gs://, ftp://.
IMAGES = "on"
FILES_STORE = ""
IMAGES_MAX_BYTES = 20 * 1024 * 1024
IMAGES_MAX_COUNT = 200  # A larger image is `failed`; further images of an article stay `referenced`
# A stored article is revisited this many days after its publication, for edits and takedowns.
RECHECK_DAYS = "1,3,7,30"
# A link is not retried after this many failures in a row: about five weeks. Nor are failed images after
# this many visits.
GIVE_UP_AFTER = 12
# A page that is gone or rejected is revisited after each of these delays in days, as long as visits
# agree; a stored article counts as taken down after CONFIRM_VISITS that agree. So an outage of a day or
# two, or a page withdrawn for a correction, decides nothing. A dead link costs six visits in a month.
CONFIRM_DAYS = "1,2,4,8,16"
CONFIRM_VISITS = 3
# If at least this many links of one host look gone or rejected in a run, and at least half of its visits,
# the host is broken and none of them is believed. Fewer occur on a good day. 0: believe every page.
FLIP_ALARM = 5
# A column is read to its last page this often, because old pages change too; otherwise a walk ends
# at the first page without an unknown link.
FULL_SWEEP_DAYS = 7
# A walk stops after this many pages of one list (also of a paper's issue or `discover`) with a run warning,
# and does not count as complete: a list may be endless. Real columns have 50 and more.
COLUMN_MAX_PAGES = 2000
# A bulk write starts after this many documents or seconds: bulk upserts are far cheaper than single
# inserts (bench/RESULTS.md).
MONGODB_BATCH_SIZE = 200
MONGODB_BATCH_SECONDS = 2.0
# During a MongoDB outage, writes go to DATA_DIR/spool and queries wait. After this many seconds the
# run ends; the next run loads the spool.
MONGODB_PATIENCE = 600
# Where alarms are sent: a URL that accepts a JSON POST; a mail address (with Scrapy's MAIL_… settings).
ALARM_WEBHOOK = ""
ALARM_MAIL = ""
# Names that a reverse proxy may pass to `scrapy browse` in the Host header, separated by commas: news.example.org.
# Its own address is always allowed.
BROWSE_HOSTS = ""

# A token that every request to `scrapy browse` must carry, pages as well as the API: as Bearer, or as the password of
# HTTP Basic. 16 characters or more, such as those of `openssl rand -hex 32`; better in the environment than in a
# command line. Empty: none; `--host` of other machines then needs `off`, which lets everybody read who reaches it.
API_TOKEN = ""
# Web pages that may call the API (CORS), separated by commas: https://news.example.org. `*`: all.
API_ORIGINS = ""
# What people want to be told of, and where (docs/how-to/watch.md). Empty: watch.toml in the working folder, if it is there.
WATCH_FILE = ""

# Runs on one database share a crawl by host (docs/how-to/parallel.md). A run that has not renewed its
# leases for this many seconds counts as dead, and other runs get its hosts. Must exceed the time that
# the slowest page takes on a busy machine.
LEASE_SECONDS = 15

# --- rate limits and politeness --------------------------------------------------------------
# Who runs this crawler: an e-mail address or an http(s) URL, for the people who run the site. It stands in
# the User-Agent, `zjolcrawl/0.1.0 (+CONTACT)`, and in the WARC files. Each run warns until it is set.
# USER_AGENT, if set, replaces the User-Agent as a whole.
CONTACT = ""
ADDONS = {"zjolcrawl.contact.ContactAddon": 100}
ROBOTSTXT_OBEY = True
# Seconds after which a run fetches a host's robots.txt again (RFC 9309, 2.4: at most a day).
ROBOTSTXT_MAX_AGE = 24 * 3600
# Requests to one host at the same time, and seconds between two of them. All runs together keep both.
CONCURRENT_REQUESTS_PER_DOMAIN = 2
DOWNLOAD_DELAY = 1.0
# A slow host gets fewer requests.
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_TARGET_CONCURRENCY = 1.0
# Seconds after which a response that does not arrive is a failure.
DOWNLOAD_TIMEOUT = 60
# An article page is 20-200 KB; anything near this is not one.
DOWNLOAD_MAXSIZE = 20 * 1024 * 1024
DOWNLOAD_WARNSIZE = 4 * 1024 * 1024
# Further attempts in the same run after a status of RETRY_HTTP_CODES or a broken response.
RETRY_TIMES = 2
# Keep a response whose connection was lost: its bytes are archived, then DecompressionMiddleware
# treats it as broken and retries.
DOWNLOAD_FAIL_ON_DATALOSS = False
# Without 429: it is not retried immediately; the frontier stores the Retry-After time.
RETRY_HTTP_CODES = [500, 502, 503, 504, 522, 524, 408]
# `scrapy crawl backfill` asks an archive for one thing at a time. Seconds between two pages, and between two requests
# of its index: web.archive.org allows 24 a minute (release notes of edgi-govdata-archiving/wayback 0.5.1),
# and blocks an address that ignores its 429 for a minute (its issue 137).
BACKFILL_DELAY = 1.0
BACKFILL_CDX_DELAY = 2.5
# Seconds to wait after a 429, a 5xx without Retry-After or a lost connection, doubled each time, four attempts.
BACKFILL_WAIT = 60.0
# Hours without fetching, China time: "01:00-05:30". A run ends when they begin; the remaining links
# stay pending.
QUIET_HOURS = ""
COOKIES_ENABLED = False

# Refuses host names of the site that resolve to a private network.
TWISTED_DNS_RESOLVER = "zjolcrawl.network.resolver.PublicResolver"

# False accepts certificates that cannot be verified and names their hosts in the run's warnings; True
# refuses them. Verified against the system's authorities, or those in SSL_CERT_FILE.
DOWNLOAD_VERIFY_CERTIFICATES = False
DOWNLOAD_HANDLERS = {
    "http": "zjolcrawl.network.handlers.LeasedHandler",
    "https": "zjolcrawl.network.handlers.CertificateHandler",
}

# --- middlewares, pipelines, extensions ------------------------------------------------------
SPIDER_MIDDLEWARES = {
    "zjolcrawl.middlewares.callback_errors.CallbackErrorMiddleware": 50,
    # Spiders handle every status: a 404 is a result to record.
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    # It silently drops links of more than 2,083 characters; they would stay pending for ever.
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    # Request depth and copied meta are not used here, and each of these wraps all output of a page
    # in two asynchronous generators.
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
DOWNLOADER_MIDDLEWARES = {
    # First: a request answered from the archive needs no robots.txt, delay or socket.
    "zjolcrawl.middlewares.replay.ReplayMiddleware": 10,
    "zjolcrawl.middlewares.leaving.LeavingMiddleware": 20,
    # Replaces Scrapy's, which lets requests with dont_filter leave the site.
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "zjolcrawl.middlewares.own_hosts.OwnHostsMiddleware": 50,
    # Replaces Scrapy's, which lets requests pass while they wait for a slow robots.txt.
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "zjolcrawl.middlewares.robots.RobotsMiddleware": 100,
    # Replaces Scrapy's, which guesses the charset of still-compressed bytes when the server names
    # none; that slows down the whole crawl.
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "zjolcrawl.middlewares.decompression.DecompressionMiddleware": 590,
    # Nearest the downloader: the bytes as they came over the wire.
    "zjolcrawl.middlewares.archive.ArchiveMiddleware": 950,
    # Off: spiders follow such redirects themselves, after a check that they stay on the site.
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    # The site needs no password, and nothing reads these counts.
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,
}
ITEM_PIPELINES = {
    "zjolcrawl.pipelines.normalize.NormalizePipeline": 100,  # the page's strings -> values
    "zjolcrawl.pipelines.validate.ValidatePipeline": 200,  # no title, or an undecodable one, or no content -> rejected
    "zjolcrawl.pipelines.images.ImagePipeline": 500,  # images of accepted articles
    "zjolcrawl.pipelines.mongodb.MongoDBPipeline": 900,  # last: stores what arrives
}
# Removed instead of set to None, because Scrapy imports disabled extensions too, at a cost in memory.
# Both open ports that run code, on by default in 2.19; nothing here needs them.
EXTENSIONS_BASE = {
    name: order
    for name, order in default_settings.EXTENSIONS_BASE.items()
    if name.rpartition(".")[2] not in {"TelnetConsole", "RemoteControl"}
}
EXTENSIONS = {
    "zjolcrawl.extensions.run.RunExtension": 100,  # closes the run
    "zjolcrawl.extensions.quiet_hours.QuietHours": 200,
    "zjolcrawl.extensions.progress.Progress": 500,
}
# Scrapy starts this many tasks for each response, which makes its default of 100 slow. A page here
# yields one item, so 1 is enough.
CONCURRENT_ITEMS = 1
# No more pages are fetched while the fetched, unfinished ones exceed this many bytes: about twenty pages,
# enough to keep the crawl busy. The default of 5 MB uses more memory and is no faster. Pages that wait for
# their images count too, so raise this along with CONCURRENT_REQUESTS for many hosts.
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 1_000_000

# A page that takes more seconds of processor time to parse is rejected (`takes too long`), a column page is
# an error; the bytes stay archived for `scrapy crawl reparse`. A normal page takes milliseconds, a hostile
# one could stop a crawl. Must be less than LEASE_SECONDS, or the run counts as dead. 0: no limit.
PAGE_SECONDS = 10

# Tried and not used, because both were slower: uvloop (ASYNCIO_EVENT_LOOP), and Scrapy's experimental
# aiohttp handler, which also resolves names without TWISTED_DNS_RESOLVER and so bypasses the check above.

# --- logging ---------------------------------------------------------------------------------
# Under cron a good run prints only its summary; -L INFO prints more.
LOG_LEVEL = "WARNING"
LOGSTATS_INTERVAL = 0

try:
    globals().update(own_settings({*globals(), *dir(default_settings)}))
except SiteError as error:
    sys.stderr.write(f"zjolcrawl: {error}\n")
    raise SystemExit(2) from None

# A variable sets what is zjolcrawl's own, and two settings of Scrapy. Other programs may have an IMAGES.
_variables = {name for name in globals() if name.isupper()} - {
    *dir(default_settings),
    "IMAGES",
    "WARC",
}
for _name in _variables | {"FILES_STORE", "LOG_LEVEL"}:
    globals()[_name] = os.environ.get(_name) or globals()[_name]
