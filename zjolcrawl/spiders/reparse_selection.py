"""Which captures the arguments of `reparse` select."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import merge

from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.arguments import ReparseArguments
from zjolcrawl.parsing.urls import canonical
from zjolcrawl.site.names import COLUMNS_HINT, column_names, find, find_hosts


def with_known_names(wanted: ReparseArguments, index: ArchiveIndex) -> ReparseArguments:
    """The arguments with column ids and a full host name. Raises UnknownName.

    A column that the catalogue no longer has is known from its captures.
    """
    columns, host, known = wanted.columns, wanted.host, column_names()
    if set(columns) - known.keys():
        known = {**{key: (name,) for key, name in index.columns().items()}, **known}
    if host:
        (host,) = find_hosts([host], index.hosts())
    return replace(wanted, columns=find("column", columns, known, COLUMNS_HINT), host=host)


def selected(wanted: ReparseArguments, index: ArchiveIndex) -> Iterator[Capture]:
    """The captures of the wanted time, run, host and URLs, oldest first; their columns are not looked at."""
    since, until = wanted.captured
    found = (
        index.captures(
            since=since, until=until, run=wanted.run, host=wanted.host,
            url=url, article=canonical(url) if url else None,
        )
        for url in wanted.urls or (None,)
    )  # fmt: skip
    return merge(*found, key=lambda capture: capture.date)
