"""Loads and checks the catalogue of columns (columns.toml), a user's own columns, and the host names.

A user's own file (COLUMNS_FILE) has entries [[columns]] or [[column]]. One whose id the catalogue has
changes the keys that it names, such as `enabled`; any other adds a column. Other keys of the file are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zjolcrawl.site.current import current_columns, current_site, for_site
from zjolcrawl.site.description import Site, SiteError, made, read_toml

EVIDENCE = {"REAL", "SEL", "SIS", "INF"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column (栏目) of the catalogue; the head of columns.toml explains the fields."""

    id: str
    name: str
    url: str
    site: str
    enabled: bool
    evidence: str
    name_evidence: str | None = None
    template: str | None = None
    paging: str | None = None


def load_catalogue(path: Path | None = None) -> dict[str, Column]:
    """The columns by id, in file order; with `path` only those of that file.

    Without it: those of the file that the site names, changed and extended by the user's own. Raises
    SiteError.
    """
    site = current_site()
    table = read_toml(path) if path else site.table(site.columns)
    columns = _added({}, table.get("column", []), path.name if path else site.columns, site)
    own = None if path else current_columns()
    if own is None:
        return columns
    return _added(columns, own_entries(own), own.name, site, known=columns)


def own_entries(path: Path) -> list[dict[str, Any]]:
    """The entries of a user's own columns file. Raises SiteError."""
    table = read_toml(path)
    entries = [table.get(name, []) for name in ("columns", "column")]
    if not all(isinstance(e, list) and all(isinstance(x, dict) for x in e) for e in entries):
        raise SiteError(f"{path.name}: write each column as an entry that begins with [[columns]]")
    return [each for part in entries for each in part]


def switched_off() -> list[str]:
    """The ids of the columns that the site enables and the user's own file switches off. Raises SiteError."""
    if current_columns() is None:
        return []
    site = current_site()
    shipped = _added({}, site.table(site.columns).get("column", []), site.columns, site)
    now = load_catalogue()
    return [key for key, each in shipped.items() if each.enabled and not now[key].enabled]


def _added(
    columns: Mapping[str, Column],
    entries: Iterable[dict[str, Any]],
    where: str,
    site: Site,
    known: Mapping[str, Column] | None = None,
) -> dict[str, Column]:
    """The columns with those of `entries`, which may change `known` ones. Raises SiteError."""
    found = dict(columns)
    here: set[str] = set()
    urls = {column.url: key for key, column in found.items()}
    for number, entry in enumerate(entries, 1):
        key = entry.get("id", f"number {number}")
        label = f"{where}: column {key}"
        column = made(Column, entry if known is None else _completed(entry, known, label), label)
        if fault := _fault(column, site):
            raise SiteError(f"{label}: {fault}")
        if column.id in here:
            raise SiteError(f"{label}: duplicate id")
        here.add(column.id)
        if urls.setdefault(column.url, column.id) != column.id:
            raise SiteError(f"{label}: url is used by {urls[column.url]} already")
        found[column.id] = column
    return found


def _completed(entry: dict[str, Any], known: Mapping[str, Column], label: str) -> dict[str, Any]:
    """A user's entry with the keys that it leaves out: the known column's, or defaults of a new one."""
    if column := known.get(str(entry.get("id"))):
        kept = {name: value for name, value in asdict(column).items() if value is not None}
        return kept | entry
    if "url" not in entry and "id" in entry:
        nearest = get_close_matches(str(entry["id"]), known, 1)
        hint = f"did you mean {nearest[0]}?" if nearest else "`scrapy columns` lists them"
        raise SiteError(
            f"{label}: the catalogue has no such column, and a new one needs url; {hint}"
        )
    host = urlsplit(str(entry.get("url"))).hostname or ""
    return {"site": host, "enabled": True, "evidence": "REAL", **entry}


def _sites(site: Site) -> dict[str, str | None]:
    table = site.table(site.hosts)
    unnamed = [name for group in table.get("unnamed", {}).values() for name in group]
    names = {**dict.fromkeys(unnamed), **table.get("sites", {})}
    return {site.host(name): label for name, label in names.items()}


def _names(site: Site) -> frozenset[str]:
    columns = (column.name for column in load_catalogue().values())
    return frozenset({*filter(None, _sites(site).values()), *columns})


sites = for_site(_sites)
"""The known hosts of the site, each with its Chinese name, or None where the site gives none."""

catalogue_names = for_site(_names)
"""The Chinese names of all hosts and columns."""


def site_name(host: str) -> str | None:
    """The Chinese name of a host, None if unknown [REAL: the site's statistics script]."""
    return sites().get(host)


def _fault(column: Column, site: Site) -> str | None:
    parts = urlsplit(column.url)
    checks = {
        "id must be of a-z, 0-9 and -": re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", column.id),
        "name is empty": column.name.strip(),
        "url must be http": parts.scheme == "http",
        f"url must be on {' or '.join(site.domains)}": site.own.match(column.url),
        "url must end in /": column.url.endswith("/"),
        "site must be the url's host": parts.hostname == column.site,
        f"evidence must be one of {', '.join(sorted(EVIDENCE))}": column.evidence in EVIDENCE,
        "name_evidence is unknown": column.name_evidence in EVIDENCE | {None},
        "paging must be index": column.paging in {"index", None},
    }
    return next((reason for reason, holds in checks.items() if not holds), None)
