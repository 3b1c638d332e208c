"""Finds columns, papers and hosts by id or Chinese name; an unknown name is an error with the nearest one."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping

from zjolcrawl.site.catalogue import Column, load_catalogue, sites
from zjolcrawl.site.current import current_site, for_site
from zjolcrawl.site.description import Site
from zjolcrawl.site.papers import Paper, load_papers

Names = Mapping[str, tuple[str, ...]]
"""Known ids, each with its other names."""

COLUMNS_HINT = "`scrapy columns` lists them"
_HOST_HINT = "no known column and no article is on it"
# The least similarity (difflib's ratio) of a suggestion. Most Chinese names have two to four characters, so
# one wrong character is a half to a quarter of a name.
_LEAST, _LEAST_CHINESE = 0.65, 0.5


class UnknownName(ValueError):
    """A name that is unknown, or an ambiguous one; the message is one line.

    `kind`: column, paper, host, person, tag or template. `meanings`: the ids that an ambiguous name may mean;
    `near`: the known id or name that an unknown one most resembles, `label` the same with its Chinese name.
    """

    def __init__(
        self, kind: str, name: str, *, meanings: Iterable[str] = (), near: str = "",
        label: str = "", hint: str = "",
    ) -> None:  # fmt: skip
        self.kind, self.name, self.meanings = kind, name, tuple(meanings)
        self.near, self.label = near, label or near
        name = name or "''"
        if self.meanings:
            text = f"{kind} {name} is ambiguous: give one of {', '.join(self.meanings)}"
        elif near:
            text = f"unknown {kind} {name}: did you mean {self.label}?"
        else:
            text = f"unknown {kind} {name}" + (f": {hint}" if hint else "")
        super().__init__(text)


def find(kind: str, given: Iterable[str], known: Names, hint: str = "") -> tuple[str, ...]:
    """The ids that ids or other names mean, without repeats. Raises UnknownName.

    Case and width do not matter. Some columns share a name and have a word after it that tells them apart;
    without that word the name is ambiguous, unless one column has exactly this name.
    """
    index: dict[str, list[str]] = {}
    for key, names in known.items():
        for name in dict.fromkeys(map(_folded, (key, *names))):
            index.setdefault(name, []).append(key)
    return tuple(
        dict.fromkeys(
            name if name in known else _meaning(kind, name, known, index, hint) for name in given
        )
    )


def _meaning(kind: str, name: str, known: Names, index: dict[str, list[str]], hint: str) -> str:
    folded = _folded(name)
    found = index.get(folded, [])
    if not found and not folded.isascii():
        found = [
            key
            for key, names in known.items()
            if any(_folded(each).startswith(f"{folded} ") for each in names)
        ]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownName(kind, name, meanings=found)
    least = _LEAST if folded.isascii() else _LEAST_CHINESE
    for close in difflib.get_close_matches(folded, index, 1, least):
        near = index[close][0]
        chinese = next((each for each in known[near] if not each.isascii()), "")
        label = f"{near} ({chinese})" if chinese else near
        raise UnknownName(kind, name, near=near, label=label)
    raise UnknownName(kind, name, hint=hint)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _column_names(_: Site) -> dict[str, tuple[str, ...]]:
    papers = {key: (paper.name,) for key, paper in load_papers().items()}
    return {**papers, **{key: (column.name,) for key, column in load_catalogue().items()}}


def _known_hosts(_: Site) -> list[str]:
    papers = load_papers().values()
    columns = (column.site for column in load_catalogue().values())
    older = (host for paper in papers for host in paper.older_hosts)
    return list(dict.fromkeys([*sites(), *columns, *(paper.host for paper in papers), *older]))


# Made once: a page of the web server with a filter needs them, and the catalogue takes 50 ms to read.
column_names = for_site(_column_names)
"""Columns of the catalogue, and papers, whose articles have the paper's id in `columns`."""
_hosts = for_site(_known_hosts)


def find_columns(given: Iterable[str]) -> tuple[Column, ...]:
    """Columns of the catalogue by id or Chinese name. Raises UnknownName."""
    catalogue = load_catalogue()
    known = {key: (column.name,) for key, column in catalogue.items()}
    try:
        return tuple(catalogue[key] for key in find("column", given, known, COLUMNS_HINT))
    except UnknownName as error:
        for paper in load_papers().values():
            if error.name in (paper.id, paper.name):
                hint = f"it is a paper, see `crawl paper -a paper={paper.id}`"
                raise UnknownName("column", error.name, hint=hint) from None
        raise


def find_papers(given: Iterable[str]) -> tuple[Paper, ...]:
    """Papers by id or Chinese name. Raises UnknownName."""
    papers = load_papers()
    known = {key: (paper.name,) for key, paper in papers.items()}
    wanted = find("paper", given, known, f"known papers: {', '.join(papers)}")
    return tuple(papers[key] for key in wanted)


def find_hosts(
    given: Iterable[str], more: Iterable[str] = (), hint: str = _HOST_HINT
) -> tuple[str, ...]:
    """Full host names, from short (zjnews), full or Chinese names or URLs. Raises UnknownName.

    Known are the site's hosts and `more`.
    """
    site = current_site()
    known: dict[str, tuple[str, ...]] = {}
    for host in (*_hosts(), *more):
        known.setdefault(site.short(host), (host, *filter(None, [sites().get(host)])))
    found = find("host", (site.short(_host_in(each)) for each in given), known, hint)
    return tuple(map(site.host, found))


def _host_in(text: str) -> str:
    """The host of a URL, or the text itself, in lower case."""
    return re.sub(r"^[a-z]+://|[/?#:].*$", "", text.strip().lower())
