"""Parses the values of command-line arguments: days, lists, columns, hosts, URLs and switches."""

from __future__ import annotations

import re
from datetime import date, timedelta

from zjolcrawl.archive.warc import warc_date
from zjolcrawl.days import parse_day
from zjolcrawl.parsing.fields.dates import china_midnight
from zjolcrawl.parsing.urls import absolute, is_own_host, kind, normalized
from zjolcrawl.setting_values import parse_bool
from zjolcrawl.site.catalogue import Column, load_catalogue
from zjolcrawl.site.current import current_site
from zjolcrawl.site.description import SiteError
from zjolcrawl.site.names import COLUMNS_HINT, UnknownName, find_columns, find_hosts


class ArgumentError(ValueError):
    """Invalid spider arguments. The message is one line for stderr."""


def captured_span(since: str | None, until: str | None) -> tuple[str, str]:
    """Days (China, both included) as WARC-Dates, the second excluded. Raises ArgumentError."""
    first, last = day_span(since, until, "captured_since", "captured_until")
    return (
        warc_date(china_midnight(first)) if first else "",
        warc_date(china_midnight(last + timedelta(days=1))) if last else "9",
    )


def day_span(
    since: str | None, until: str | None, first: str = "since", last: str = "until"
) -> tuple[date | None, date | None]:
    """Parse two days; the second must not be before the first. Raises ArgumentError."""
    days = parse_one_day(first, since), parse_one_day(last, until)
    if days[0] and days[1] and days[0] > days[1]:
        raise ArgumentError(f"{first}={days[0]} is after {last}={days[1]}")
    return days


def change_day(name: str, text: str | None) -> date | None:
    """Parse the day (China) of a change: a date, or days back from today (7d). Raises ArgumentError."""
    return parse_one_day(name, text, relative=True)


def names(text: str) -> tuple[str, ...]:
    """Split a comma-separated list and drop duplicates."""
    return tuple(dict.fromkeys(split_list(text)))


def split_list(text: str | None) -> tuple[str, ...]:
    """The entries of a comma-separated list."""
    return tuple(part.strip() for part in re.split("[,，]", text or "") if part.strip())


def refuse_others(unknown: dict[str, str], known: str) -> None:
    """Raise ArgumentError for arguments that the spider does not have."""
    if unknown:
        raise ArgumentError(f"unknown argument {', '.join(sorted(unknown))}; known: {known}")


def parse_columns(ids: str | None, url: str | None) -> tuple[Column, ...]:
    """The columns of the catalogue by id or name, the column of a URL, or all that are enabled. Raises ArgumentError."""
    if ids is not None and url is not None:
        raise ArgumentError("column= and url= cannot be combined")
    catalogue = read_catalogue()
    if url is not None:
        return (column_of_url(url, catalogue),)
    if ids is None:
        return tuple(column for column in catalogue.values() if column.enabled)
    if not (wanted := find_columns(split_list(ids))):
        raise ArgumentError(f"unknown column {ids!r}: {COLUMNS_HINT}")
    return wanted


def parse_host(name: str) -> str:
    """The full name of a host. Only a host given in full may be unknown: its pages say whether it exists."""
    full = current_site().host(name)
    try:
        return find_hosts([name], hint=f"give a new host in full: {full}")[0]
    except UnknownName:
        if "." in name:
            return name
        raise


def read_catalogue() -> dict[str, Column]:
    """The columns by id. Raises ArgumentError."""
    try:
        return load_catalogue()
    except SiteError as error:
        raise ArgumentError(str(error)) from error


def column_of_url(text: str, catalogue: dict[str, Column]) -> Column:
    """The column of a URL; one that the catalogue lacks has its address as id. Raises ArgumentError."""
    url = parse_own_url(text)
    if kind(url) != "topic":
        raise ArgumentError(f"url={text} is not a column page but {kind(url)}: see `crawl article`")
    for column in catalogue.values():
        if re.sub("^https:", "http:", url) == column.url:
            return column
    host, _, path = url.partition("://")[2].partition("/")
    return Column(id=f"{host}/{path}", name=url, url=url, site=host, enabled=True, evidence="INF")


def parse_own_url(text: str) -> str:
    """A normalised URL of the site. Raises ArgumentError."""
    text, domain = text.strip(), current_site().domain
    url = absolute(f"http://{domain}/", text if "://" in text else f"http://{text}")
    url = normalized(url or "")
    if not url or (not is_own_host(url) and kind(url) == "offsite"):
        raise ArgumentError(f"url={text} is not on {domain}")
    return url


def parse_one_day(name: str, text: str | None, *, relative: bool = False) -> date | None:
    """A day; `relative` also allows 7d. Raises ArgumentError."""
    try:
        return None if text is None else parse_day(text, relative=relative)
    except ValueError as error:
        raise ArgumentError(f"{name}={text} {error}") from None


def parse_count(name: str, text: str | None) -> int | None:
    """A positive whole number. Raises ArgumentError."""
    if text is None:
        return None
    if not re.fullmatch(r"[1-9]\d{0,5}", text):
        raise ArgumentError(f"{name}={text} is not a positive whole number")
    return int(text)


def parse_part(text: str | None) -> tuple[int, int] | None:
    """K/N as a pair. Raises ArgumentError."""
    if text is None:
        return None
    found = re.fullmatch(r"([1-9]\d?)/([1-9]\d?)", text)
    if not found or int(found[1]) > int(found[2]):
        raise ArgumentError(f"part={text} is not K/N (the K-th of N parts), for example 1/2")
    return int(found[1]), int(found[2])


def parse_switch(name: str, text: str) -> bool:
    """On or off. Raises ArgumentError."""
    try:
        return parse_bool(text)
    except ValueError as error:
        raise ArgumentError(f"{name}={error}") from None
