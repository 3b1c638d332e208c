"""Proposes columns that `scrapy crawl discover` found, as TOML entries for a person to review."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from rich.cells import cell_len, set_cell_size

from zjolcrawl.messages import counted
from zjolcrawl.site.catalogue import Column, sites
from zjolcrawl.site.current import current_site

_HEAD = """\
# Columns that are not in the catalogue, found in the site's HTML by `scrapy crawl discover`.
# Copy the ones you want to the end of zjolcrawl/site/columns.toml; `scrapy columns` checks the file. Review the
# names, which are link texts, and set enabled = true for columns that `scrapy crawl column` should crawl.
"""


@dataclass(slots=True)
class Find:
    """A link to a possible column: its URL, name and place, where and when (China) it was seen, what is there.

    `articles` counts the article links in its list, `newest` is the latest of their days (China), `pager`
    says how its list continues. `fault` says why no list was read; None if one was.
    """

    url: str
    name: str | None
    place: str
    seen_on: str
    seen_day: date
    articles: int = 0
    newest: date | None = None
    pager: str = "no pager"
    fault: str | None = "not visited"


def propose(finds: list[Find], taken: Collection[str]) -> list[tuple[Column, Find]]:
    """A disabled catalogue entry for each find with articles; its id is not in `taken`."""
    ids = set(taken)
    proposed = []
    for find in finds:
        if find.fault:
            continue
        ident = _new_id(find.url, ids)
        ids.add(ident)
        folder = urlsplit(find.url).path.strip("/") or _label(find.url)
        column = Column(
            id=ident, name=find.name or folder, url=find.url,
            site=urlsplit(find.url).netloc, enabled=False, evidence="REAL",
            name_evidence=None if find.name else "INF",
        )  # fmt: skip
        proposed.append((column, find))
    return proposed


def fragment(proposed: list[tuple[Column, Find]], others: list[Find]) -> str:
    """TOML to paste into columns.toml; `others`, finds without a list, are comments at its end."""
    blocks = [_HEAD, *(_block(column, find) for column, find in proposed)]
    if others:
        lines = [
            f"#   {find.url}  {find.name or '–'}  {' '.join((find.fault or '').split())}\n"
            for find in others
        ]
        blocks.append("".join(["# Also linked, but without a list of articles:\n", *lines]))
    return "\n".join(blocks)


def table(proposed: list[tuple[Column, Find]], others: list[Find]) -> Iterator[str]:
    """Lines of a table of the proposals, and a line with the totals."""
    rows = [("id", "articles", "newest", "pager", "name", "url")]
    rows += [
        (
            column.id,
            str(find.articles),
            str(find.newest or "–"),
            find.pager,
            column.name,
            column.url,
        )
        for column, find in proposed
    ]
    widths = [max(cell_len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows if proposed else []:
        yield "  ".join(map(set_cell_size, row, widths)).rstrip()
    yield f"{counted(len(proposed), 'column')} proposed, {counted(len(others), 'link')} without a list"


def _block(column: Column, find: Find) -> str:
    newest = f", newest {find.newest}" if find.newest else ""
    new_host = (
        "" if column.site in sites() else f"# {column.site} is a host missing from sites.toml\n"
    )
    values = {
        "id": column.id, "name": column.name, "name_evidence": column.name_evidence,
        "url": column.url, "site": column.site, "enabled": column.enabled,
        "evidence": column.evidence,
    }  # fmt: skip
    # JSON strings and booleans are valid TOML.
    lines = [
        f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in values.items() if v is not None
    ]
    return "".join(
        [
            f"# seen on {find.seen_on} ({find.place}) on {find.seen_day}; "
            f"{counted(find.articles, 'article link')}{newest}, {find.pager}\n",
            new_host, "[[column]]\n", *lines,
        ]
    )  # fmt: skip


def _new_id(url: str, taken: set[str]) -> str:
    """An id from host and last folder; if that is taken, from all folders, then with a number."""
    folders = [part for part in urlsplit(url).path.lower().split("/") if part]
    host = _label(url)
    short, whole = [host, *folders[-1:]], [host, *folders]
    texts = ["-".join(short), "-".join(whole if len(folders) > 1 else [*whole, "front"])]
    names = [re.sub("[^a-z0-9]+", "-", text).strip("-") for text in texts]
    numbered = (f"{names[-1]}-{n}" for n in range(2, len(taken) + 3))
    return next(name for name in (*names, *numbered) if name not in taken)


def _label(url: str) -> str:
    return current_site().short(urlsplit(url).netloc)
