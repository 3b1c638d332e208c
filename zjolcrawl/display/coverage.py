"""Formats `scrapy coverage`: how often each field is present, by group of articles, outliers marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from zjolcrawl.display.drift import FEWEST, JUMP
from zjolcrawl.messages import counted
from zjolcrawl.site.current import current_site
from zjolcrawl.storage.queries.coverage import Group

SIGN = "!"
NONE = "–"
_STYLE = "bold red"
_SHORT_BODY = 1 / 3  # of the length elsewhere: genres differ less than that, truncated bodies more
# Column heading -> name in `Group.counts`.
_FIELDS = {
    "titl": "title", "time": "time", "src": "source", "auth": "authors", "edit": "editors",
    "tags": "tags", "meta": "meta", "path": "breadcrumb", "kick": "kicker", "sub": "subtitle",
    "note": "editor_note", "line": "dateline", "img": "images", "capt": "captions", "vid": "videos",
}  # fmt: skip
_RISES = {"meta", "generic"}  # fields of which a higher share is worse


Parts = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Share:
    """How often a field is present: in `there` out of `of` articles.

    `elsewhere` is the share in the other groups, None if they have too few articles. `marked`: the
    share is much worse here. For `body`, `there` is the median length times the number of articles.
    """

    there: int
    of: int
    elsewhere: float | None = None
    marked: bool = False

    @property
    def value(self) -> float | None:
        """The share from 0 to 1, for `body` the median length; None if there are no articles."""
        return self.there / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Row:
    """A group: `names` by dimension, `shares` by field."""

    names: dict[str, str | None]
    group: Group
    shares: dict[str, Share]

    @property
    def marked(self) -> list[str]:
        """The fields whose share stands out."""
        return [name for name, share in self.shares.items() if share.marked]


def rows(groups: list[Group], by: tuple[str, ...]) -> list[Row]:
    """Compare each group with the other groups of its template, or with all if `by` lacks `template`."""
    found = [(dict(zip(by, group.key, strict=True)), group) for group in groups]
    totals: dict[str | None, Parts] = {}
    for names, group in found:
        template, parts = names.get("template"), _parts(group)
        totals[template] = _sum(totals[template], parts) if template in totals else parts
    return [
        Row(names, group, _shares(_parts(group), totals[names.get("template")]))
        for names, group in found
    ]


def render(found: list[Row], by: tuple[str, ...], *, marked_only: bool = False) -> Iterator[Text]:
    """A heading, one line per row, and how many rows are marked."""
    if not found:
        yield Text("no articles")
        return
    marked = [row for row in found if row.marked]
    widths = {name: max(len(name), *(len(_name(row, name)) for row in found)) for name in by}
    heads = [f"{name:<{width}} " for name, width in widths.items()]
    cells = [f"{head:>4} " for head in (*_FIELDS, "body", "gen", "rej")]
    yield Text("".join([*heads, f"{'n':>6} ", *cells]).rstrip(), style="bold")
    for row in marked if marked_only else found:
        yield _line(row, widths)
    if marked:
        text = f"{len(marked)} of {counted(len(found), 'row')} marked with {SIGN}"
        yield Text(text, style=_STYLE)
    else:
        yield Text(f"{counted(len(found), 'row')}, nothing stands out")


def values(row: Row) -> dict[str, Any]:
    """A row as data for --json: shares from 0 to 1, `body` in characters."""
    fields = {
        name: {"count": each.there, "of": each.of, "share": each.value, "elsewhere": each.elsewhere}
        for name, each in row.shares.items()
    }
    body = fields.pop("body")
    return {
        **row.names,
        "articles": row.group.articles,
        "fields": fields,
        "body": {"median": row.group.body if body["of"] else None, "elsewhere": body["elsewhere"]},
        "rejected": row.group.rejected,
        "marked": row.marked,
    }


def _parts(group: Group) -> Parts:
    """For each field: (how many have it, out of how many)."""
    return {
        **{name: (group.counts[name], group.articles) for name in _FIELDS.values()},
        "captions": (group.captions, group.pictures),
        "body": (group.body * group.articles, group.articles),
        "generic": (group.generic, group.neighbours),
    }


def _sum(left: Parts, right: Parts) -> Parts:
    return {name: (left[name][0] + right[name][0], left[name][1] + right[name][1]) for name in left}


def _shares(parts: Parts, totals: Parts) -> dict[str, Share]:
    found = {}
    for name, (there, of) in parts.items():
        rest, rest_of = totals[name][0] - there, totals[name][1] - of
        elsewhere = rest / rest_of if rest_of >= FEWEST else None
        marked = elsewhere is not None and of >= FEWEST and _stands_out(name, there / of, elsewhere)
        found[name] = Share(there, of, elsewhere, marked)
    return found


def _stands_out(name: str, here: float, elsewhere: float) -> bool:
    if name == "body":
        return here < elsewhere * _SHORT_BODY
    drop = here - elsewhere if name in _RISES else elsewhere - here
    return round(drop, 9) >= JUMP


def _name(row: Row, dimension: str) -> str:
    return current_site().short(row.names[dimension] or NONE)


def _line(row: Row, widths: dict[str, int]) -> Text:
    text = Text()
    for name, width in widths.items():
        text.append(f"{_name(row, name):<{width}} ")
    text.append(f"{row.group.articles:>6} ")
    for name in (*_FIELDS.values(), "body", "generic"):
        share = row.shares[name]
        value = f"{_cell(name, share):>4}{SIGN if share.marked else ' '}"
        text.append(value, style=_STYLE if share.marked else "")
    text.append(f"{row.group.rejected or '':>4}")
    text.rstrip()
    return text


def _cell(name: str, share: Share) -> str:
    """Per cent, rounded down so that 100 means all; a dash if nothing can have the field."""
    if share.value is None:
        return NONE
    return f"{share.value:.0f}" if name == "body" else str(100 * share.there // share.of)
