"""Estimates requests, freshness, storage, bandwidth and cost at three sizes, up to a whole country.

python -m bench.scaling    prints the tables of docs/scaling.md, always the same (about half a minute)

The parameters come first, each with its source. Change them and run it again. Values marked
`assumed` were not measured; this includes all prices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.polite_day import DAY, HOUR, Day, Policy, Sites, simulate

RESULTS = "bench/RESULTS.md"
_SIZES = f"{RESULTS}, what an article takes"
# name: value, unit, source
PARAMETERS: dict[str, tuple[float, str, str]] = {
    "DOWNLOAD_DELAY": (1.0, "s between two requests to a host", "settings.py"),
    "CONCURRENT_REQUESTS": (16, "concurrent requests of one run", "Scrapy's default"),
    "latency": (0.5, "s until a response arrives", "assumed"),
    "pages a second": (67.5, "of one run, with archive and MongoDB", f"{RESULTS}, what archiving costs"),
    "FULL_SWEEP_DAYS": (7, "days between two walks to the last page of a column", "settings.py"),
    "pages of a column": (20, "list pages", "assumed"),
    "images": (1.8, "an article", "assumed"),
    "page": (15_627, "bytes of an article's page on the wire, gzipped (52,339 plain)", f"{_SIZES}: synthetic pages; real ones assumed alike"),
    "page, archived": (16_898, "bytes in the WARC file, with its request", _SIZES),
    "exchange": (1_281, "bytes in the WARC file of an unchanged page, with its request", _SIZES),
    "headers": (600, "bytes of response headers; a 304 has no body", "assumed"),
    "list": (8_000, "bytes of a list page, gzipped", "assumed"),
    "image": (80_000, "bytes", "assumed"),
    "answers 304": (0.5, "share of unchanged pages that are answered with 304", "assumed"),
    "edited": (0.02, "share of articles, once each", "assumed"),
    "article": (2_728, "bytes in MongoDB, compressed by it", _SIZES),
    "article's indexes": (365, "bytes", _SIZES),
    "frontier": (184, "bytes of an article's links with their indexes", _SIZES),
    "full text": (3_500, "bytes an article, for the index in each DATA_DIR", f"{RESULTS}, what full text costs"),
    "capture": (1_628, "bytes in index.sqlite and CDXJ", _SIZES),
    "members": (3, "of the replica set", "compose.yaml"),
}  # fmt: skip
RECHECK_DAYS = (1, 3, 7, 30)  # settings.py
# Units of money a month. All are assumed; replace them with your own.
PRICES: dict[str, tuple[float, str]] = {
    "crawler": (20.0, "a machine of 2 cores and 4 GB for one run"),
    "member": (60.0, "a machine of 4 cores and 16 GB for a member of the replica set"),
    "disk": (0.10, "a GB of disk"),
    "object": (0.02, "a GB in an object store"),
    "put": (0.005, "a thousand objects written"),
    "traffic": (0.0, "a GB that comes in"),
}
# The share of each hour (China) in a day's articles: a newsroom's day, assumed.
_CURVE = (1, 1, 0.5, 0.5, 0.5, 1.5, 3, 5, 7, 8, 8, 7, 5, 5, 7, 8, 8, 7, 5, 4, 4, 3, 2, 1.5)

# hosts and columns of the first: those that are on in columns.toml (35 columns on 13 hosts).
ONE = Sites("one site, zjol.com.cn", 13, 3, 300, 0.8)
COUNTIES = Sites("Zhejiang's 90 counties, one host each", 90, 6, 1_800, 0.8)
CHINA = Sites("31 provinces, 3,000 hosts", 3_000, 8, 10_000_000 / 365, 0.8)
# Which days are simulated: sites, hours between two rounds, parallel runs.
CASES: tuple[tuple[Sites, float, int], ...] = (
    (ONE, 0.25, 1), (ONE, 1, 1), (ONE, 3, 1),
    (COUNTIES, 0.25, 1), (COUNTIES, 1, 1), (COUNTIES, 3, 1),
    (CHINA, 1, 1), (CHINA, 1, 2), (CHINA, 1, 4), (CHINA, 3, 1),
)  # fmt: skip
# The tables of a year use hourly rounds, with enough runs to fetch all lists in a tenth of an hour.
CHOSEN = {ONE: 1, COUNTIES: 1, CHINA: 4}


def value(name: str) -> float:
    """A parameter's value."""
    return PARAMETERS[name][0]


def policy(hours: float) -> Policy:
    """The crawl's settings, with this number of hours between two rounds."""
    total = sum(_CURVE)
    return Policy(
        interval=hours * HOUR, delay=value("DOWNLOAD_DELAY"), latency=value("latency"),
        slots=int(value("CONCURRENT_REQUESTS")), pages_a_second=value("pages a second"),
        recheck_days=RECHECK_DAYS, sweep_days=value("FULL_SWEEP_DAYS"),
        sweep_pages=int(value("pages of a column")), images=value("images"),
        hours=tuple(each / total for each in _CURVE),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Year:
    """Bytes of a year, from a day's requests."""

    warc: float
    images: float
    wire: float
    mongodb: float
    indexes: float
    full_text: float
    local: float
    images_written: float

    @classmethod
    def of(cls, sites: Sites, day: Day) -> Year:
        """A year of 365 such days, without what existed before."""
        r = {name: 365.0 * count for name, count in day.requests.items()}
        articles, news = 365 * sites.articles, r["list with news"] + r["further list"]
        edits = articles * value("edited")
        same = r["recheck"] - edits + r["list without news"] + r["robots"]
        whole = (1 - value("answers 304")) * (r["recheck"] - edits)
        wire = (
            (articles + edits + whole) * value("page")
            + (news + (1 - value("answers 304")) * r["list without news"]) * value("list")
            + r["image"] * value("image")
            + sum(365 * count for count in day.requests.values()) * value("headers")
        )
        warc = (
            (articles + edits) * value("page, archived") + news * (value("list") + value("exchange"))
            + same * value("exchange") + r["image"] * (value("image") + value("exchange"))
        )  # fmt: skip
        stored = articles * value("article") * (1 + value("edited"))
        stored += articles * value("frontier")
        captures = sum(r.values())
        return cls(
            warc, r["image"] * value("image"), wire, stored, articles * value("article's indexes"),
            articles * value("full text"), captures * value("capture"), r["image"],
        )  # fmt: skip


def main() -> None:
    """Print every table."""
    print("\n\n".join(tables()))


def tables() -> Iterator[str]:
    """The tables, each with its heading, as Markdown."""
    days = {case: simulate(case[0], policy(case[1]), case[2]) for case in CASES}
    chosen = {sites: days[sites, 1, runs] for sites, runs in CHOSEN.items()}
    years = {sites: Year.of(sites, day) for sites, day in chosen.items()}
    yield _table("Parameters", ("parameter", "value", "of what", "source"), _parameters())
    yield _table("Prices", ("name", "units of money a month", "for", "source"), _prices())
    yield _table(
        "Requests of a day",
        ("sites", "articles", "robots.txt", "lists", "further list pages", "images", "rechecks",
         "all", "busiest host", "a second, mean", "busiest minute"),
        (_requests(sites, day) for sites, day in chosen.items()),
    )  # fmt: skip
    yield _table(
        "Freshness",
        ("sites", "a round every", "runs", "delay, median", "delay, 95 %", "lists fetched within",
         "longest queue", "not fetched"),
        (freshness(*case, day) for case, day in days.items()),
    )  # fmt: skip
    yield _table(
        "Storage of a year, GB",
        ("sites", "WARC", "images beside it", "MongoDB, one member", "of that indexes", "all members", "index.sqlite and CDXJ",
         "full text, one index"),
        (_storage(sites, year) for sites, year in years.items()),
    )  # fmt: skip
    yield _table(
        "Bandwidth",
        ("sites", "GB a day", "Mbit/s, mean", "Mbit/s, busiest minute", "KB/s of one host at most"),
        (_bandwidth(sites, chosen[sites], year) for sites, year in years.items()),
    )
    yield _table(
        "Cost a month at the end of the first year, units of money",
        ("sites", "crawlers", "MongoDB, machines", "disks", "WARC and images", "writes and traffic", "all"),
        (_cost(sites, year) for sites, year in years.items()),
    )  # fmt: skip


def _parameters() -> Iterator[tuple[str, ...]]:
    for name, (amount, unit, source) in PARAMETERS.items():
        yield name, f"{amount:,g}" if amount < 1000 else f"{amount:,.0f}", unit, source
    yield "RECHECK_DAYS", ", ".join(map(str, RECHECK_DAYS)), "days after publication", "settings.py"
    shares = " ".join(f"{100 * each / sum(_CURVE):.1f}" for each in _CURVE)
    yield "hours", shares, "per cent of a day's articles in each hour, from 0 o'clock", "assumed"
    for sites in CHOSEN:
        what = f"hosts x {sites.columns} columns, {sites.articles:,.0f} articles a day"
        source = "columns.toml; articles assumed" if sites is ONE else "given; columns assumed"
        if sites is COUNTIES:
            source = "assumed"
        yield sites.name, f"{sites.hosts:,}", what, source
    yield "skew", f"{ONE.skew}", "articles of the n-th busiest host: 1 / n to this power", "assumed"


def _prices() -> Iterator[tuple[str, ...]]:
    for name, (amount, unit) in PRICES.items():
        yield name, f"{amount:g}", unit, "assumed"


def _requests(sites: Sites, day: Day) -> tuple[str, ...]:
    r = day.requests
    lists = r["list with news"] + r["list without news"]
    counts = (r["article"], r["robots"], lists, r["further list"], r["image"], r["recheck"])
    total = sum(counts)
    shown = [f"{each:,}" for each in (*counts, total, max(day.hosts.values()))]
    return sites.name, *shown, f"{total / DAY:.2f}", f"{max(day.minutes.values()) / 60:.1f}"


def freshness(sites: Sites, hours: float, runs: int, day: Day) -> tuple[str, ...]:
    """A row of the freshness table."""
    every = f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"
    fresh = sorted(day.fresh)
    at = [f"{fresh[int(share * len(fresh))] / 60:.0f} min" for share in (0.5, 0.95)]
    within = f"{day.longest_round:.0f} s"
    return sites.name, every, str(runs), *at, within, f"{day.backlog:,}", str(day.unread)


def _storage(sites: Sites, year: Year) -> tuple[str, ...]:
    amounts = (year.warc, year.images, _member(year), year.indexes,
               _member(year) * value("members"), year.local, year.full_text)  # fmt: skip
    return sites.name, *(_gb(each) for each in amounts)


def _bandwidth(sites: Sites, day: Day, year: Year) -> tuple[str, ...]:
    mean = year.wire / 365 / DAY * 8 / 1e6
    requests = sum(day.requests.values())
    peak = mean * max(day.minutes.values()) * 1440 / requests
    host = year.wire / 365 / requests / value("DOWNLOAD_DELAY") / 1000
    return sites.name, _gb(year.wire / 365), f"{mean:.2f}", f"{peak:.1f}", f"{host:.0f}"


def _cost(sites: Sites, year: Year) -> tuple[str, ...]:
    price = {name: amount for name, (amount, _) in PRICES.items()}
    members = value("members")
    parts = (
        CHOSEN[sites] * price["crawler"],
        members * price["member"],
        (members * _member(year) + year.local + year.full_text) / 1e9 * price["disk"],
        (year.warc + year.images) / 1e9 * price["object"],
        year.images_written / 12 / 1000 * price["put"] + year.wire / 12 / 1e9 * price["traffic"],
    )
    return sites.name, *(f"{each:,.0f}" for each in (*parts, sum(parts)))


def _member(year: Year) -> float:
    return year.mongodb + year.indexes


def _gb(amount: float) -> str:
    return f"{amount / 1e9:,.1f}" if amount < 1e11 else f"{amount / 1e9:,.0f}"


def _table(title: str, head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [f"### {title}", "", f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


if __name__ == "__main__":
    main()
