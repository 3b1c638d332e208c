"""Parses spider arguments: command-line strings in, typed values or one clear error out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

from zjolcrawl.archive.mementos import replay_base
from zjolcrawl.argument_values import (
    ArgumentError,
    captured_span,
    column_of_url,
    day_span,
    parse_columns,
    parse_count,
    parse_host,
    parse_one_day,
    parse_own_url,
    parse_part,
    parse_switch,
    read_catalogue,
    refuse_others,
    split_list,
)
from zjolcrawl.messages import cause_of
from zjolcrawl.site.catalogue import Column
from zjolcrawl.site.names import find_papers
from zjolcrawl.site.papers import Paper, load_papers

_WAYBACK = "http://web.archive.org/cdx/search/cdx"


@dataclass(frozen=True, slots=True)
class ColumnArguments:
    """Which columns to crawl, the range of publish days, and the page limit.

    Days are in China time and both ends are included. `recheck`: fetch every page and every listed
    article, also those that are already stored.
    """

    columns: tuple[Column, ...]
    since: date | None = None
    until: date | None = None
    pages: int | None = None
    recheck: bool = False


def column_arguments(
    column: str | None = None,
    url: str | None = None,
    since: str | None = None,
    until: str | None = None,
    pages: str | None = None,
    *,
    recheck: str = "off",
    **unknown: str,
) -> ColumnArguments:
    """Parse the arguments of `scrapy crawl column`. Raises ArgumentError, UnknownName."""
    refuse_others(unknown, "column, url, since, until, pages, recheck")
    return ColumnArguments(
        parse_columns(column, url),
        *day_span(since, until),
        parse_count("pages", pages),
        parse_switch("recheck", recheck),
    )


@dataclass(frozen=True, slots=True)
class PaperArguments:
    """Which papers and which days to crawl; without days, the newest issue.

    Days are in China time and both ends are included. `recheck`: fetch every article that the
    issues list, also those that are already stored.
    """

    papers: tuple[Paper, ...]
    since: date | None = None
    until: date | None = None
    recheck: bool = False

    def months(self) -> Iterator[list[date]]:
        """The days to crawl, one list per month."""
        if self.since and self.until:
            count = (self.until - self.since).days + 1
            days = (self.since + timedelta(days=n) for n in range(count))
            for _, month in groupby(days, key=lambda day: (day.year, day.month)):
                yield list(month)


def paper_arguments(
    paper: str | None = None,
    date: str | None = None,
    since: str | None = None,
    until: str | None = None,
    *,
    recheck: str = "off",
    **unknown: str,
) -> PaperArguments:
    """Parse the arguments of `scrapy crawl paper`. Raises ArgumentError, UnknownName."""
    refuse_others(unknown, "paper, date, since, until, recheck")
    if not (papers := find_papers(split_list(paper))):
        raise ArgumentError(
            f"crawl paper needs paper=ID[,ID…]; known papers: {', '.join(load_papers())}"
        )
    if date is not None and (since is not None or until is not None):
        raise ArgumentError("date= cannot be combined with since= and until=")
    if date is None and (since is None) != (until is None):
        raise ArgumentError("since= and until= must be given together: the first and the last day")
    days = (parse_one_day("date", date),) * 2 if date is not None else day_span(since, until)
    return PaperArguments(papers, *days, parse_switch("recheck", recheck))


def article_arguments(url: str | None = None, file: str | None = None, **unknown: str) -> list[str]:
    """Absolute article URLs from the arguments of `scrapy crawl article`. Raises ArgumentError.

    `file` has one URL per line; blank lines and lines that start with # are skipped.
    """
    refuse_others(unknown, "url, file")
    if not url and not file:
        raise ArgumentError("crawl article needs url=URL[,URL…] or file=FILE")
    given = list(split_list(url))
    if file:
        try:
            lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ArgumentError(f"file={file} cannot be read: {cause_of(error, file)}") from error
        given += [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not given:
        raise ArgumentError(f"file={file} contains no URL")
    return list(dict.fromkeys(parse_own_url(text) for text in given))


@dataclass(frozen=True, slots=True)
class DiscoverArguments:
    """Which known columns to look at, the page limit, and the output `file` (- for stdout)."""

    columns: tuple[Column, ...]
    pages: int | None = None
    file: str | None = None


def discover_arguments(
    site: str | None = None,
    column: str | None = None,
    pages: str | None = None,
    file: str | None = None,
    **unknown: str,
) -> DiscoverArguments:
    """Parse the arguments of `scrapy crawl discover`. Raises ArgumentError, UnknownName.

    `site`: host names, short (`zjnews`) or full; their front pages and their columns are looked at.
    A full name may be one that no file of the site has. Without `site` and `column`: the whole catalogue,
    enabled or not.
    """
    refuse_others(unknown, "site, column, pages, file")
    catalogue = read_catalogue()
    hosts = tuple(dict.fromkeys(map(parse_host, split_list(site))))
    fronts = [column_of_url(f"http://{host}/", catalogue) for host in hosts]
    columns = [each for each in catalogue.values() if each.site in hosts]
    if column is not None:
        columns += parse_columns(column, None)
    if site is None and column is None:
        columns = list(catalogue.values())
    chosen = {each.url: each for each in (*fronts, *columns)}
    if not chosen:
        raise ArgumentError(f"site={site} names no host")
    return DiscoverArguments(tuple(chosen.values()), parse_count("pages", pages), file)


@dataclass(frozen=True, slots=True)
class ReparseArguments:
    """Which captures to re-parse; an empty or None field does not filter.

    `captured`: two WARC-Dates, the second is excluded. `since`, `until`: publish days in China
    time, both ends included. `parser_before`: only versions that an older parser produced. `part`
    (K, N): the K-th of N parts, so that several processes can share the archive.
    """

    run: str | None = None
    urls: tuple[str, ...] = ()
    host: str | None = None
    columns: tuple[str, ...] = ()
    captured: tuple[str, str] = ("", "9")
    since: date | None = None
    until: date | None = None
    parser_before: int | None = None
    part: tuple[int, int] | None = None
    dry_run: bool = False


def reparse_arguments(
    *,
    run: str | None = None,
    url: str | None = None,
    host: str | None = None,
    column: str | None = None,
    captured_since: str | None = None,
    captured_until: str | None = None,
    since: str | None = None,
    until: str | None = None,
    parser_before: str | None = None,
    part: str | None = None,
    jobs: str | None = None,
    dry_run: str = "off",
    **unknown: str,
) -> ReparseArguments:
    """Parse the arguments of `scrapy crawl reparse`. Raises ArgumentError.

    `jobs` is only checked here: the command handles it and passes it to no spider (zjolcrawl.run.reparse_jobs).
    """
    refuse_others(
        unknown,
        "run, url, host, column, captured_since, captured_until, since, until, parser_before, part, "
        "jobs, dry_run",
    )
    if run is not None and not re.fullmatch("[0-9a-f]{24}", run):
        raise ArgumentError(f"run={run} is not the _id of a run")
    if jobs is not None and not re.fullmatch(r"[1-9]\d?", jobs):
        raise ArgumentError(f"jobs={jobs} is not a number of processes, 1 to 99")
    if jobs is not None and (part is not None or parse_switch("dry_run", dry_run)):
        raise ArgumentError("jobs= cannot be combined with part= or dry_run=on")
    urls = tuple(parse_own_url(text) for text in split_list(url))
    return ReparseArguments(
        run, urls, host, split_list(column), captured_span(captured_since, captured_until),
        *day_span(since, until), parse_count("parser_before", parser_before), parse_part(part),
        parse_switch("dry_run", dry_run),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BackfillArguments:
    """The CDX server of an archive, the prefix of its replayed pages, and which captures are wanted.

    `pages` is of no use for Common Crawl, where the rows say where their records are. `hosts` and `columns`:
    only captures of these; neither: the whole site. `since`, `until`: publish days in China time, both ends
    included. `captured`: days of the captures, likewise.
    """

    cdx: str
    pages: str
    hosts: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    since: date | None = None
    until: date | None = None
    captured: tuple[date | None, date | None] = (None, None)
    dry_run: bool = False


def backfill_arguments(
    *,
    cdx: str | None = None,
    site: str | None = None,
    column: str | None = None,
    since: str | None = None,
    until: str | None = None,
    captured_since: str | None = None,
    captured_until: str | None = None,
    dry_run: str = "off",
    **unknown: str,
) -> BackfillArguments:
    """Parse the arguments of `scrapy crawl backfill`. Raises ArgumentError, UnknownName."""
    refuse_others(
        unknown, "cdx, site, column, since, until, captured_since, captured_until, dry_run"
    )
    if not cdx:
        raise ArgumentError(f"crawl backfill needs cdx=URL, for example cdx={_WAYBACK}")
    pages = replay_base(cdx)
    if pages is None or set("?#") & set(cdx):
        raise ArgumentError(
            f"cdx={cdx} is not the address of a CDX server: expected one like {_WAYBACK}, "
            "https://HOST/COLLECTION/cdx or https://index.commoncrawl.org/CC-MAIN-YYYY-WW-index, without ?…"
        )
    return BackfillArguments(
        cdx, pages, tuple(dict.fromkeys(map(parse_host, split_list(site)))),
        parse_columns(column, None) if column is not None else (), *day_span(since, until),
        day_span(captured_since, captured_until, "captured_since", "captured_until"), parse_switch("dry_run", dry_run),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImportArguments:
    """Which of the kept files (DATA_DIR/warc/foreign) to import, by name."""

    files: tuple[str, ...]


def import_arguments(file: str | None = None, **unknown: str) -> ImportArguments:
    """Parse the arguments of `scrapy crawl import`. Raises ArgumentError."""
    refuse_others(unknown, "file")
    if not (files := tuple(dict.fromkeys(split_list(file)))):
        raise ArgumentError("crawl import needs file=NAME: `scrapy archive import FILE` starts it")
    return ImportArguments(files)
