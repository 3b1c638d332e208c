"""Loads and checks the catalogue of columns (columns.toml) and the host names (sites.toml)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zjolcrawl.messages import nearest
from zjolcrawl.site.current import current_site, for_site
from zjolcrawl.site.description import Site, SiteError, made, read_toml
from zjolcrawl.site.own_file import NAME, read_own_file

_Entry = dict[str, Any]
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


_shipped = for_site(lambda site: site.table(site.columns).get("column", []))
"""The entries of the site's own file, parsed once."""


def load_catalogue(path: Path | None = None) -> dict[str, Column]:
    """The columns by id, in file order; `path` defaults to the file that the site names.

    Without a path, the entries of the user's zjolcrawl.toml are added: one with a known id changes the keys
    that it has. Raises SiteError.
    """
    if path:
        return _columns((path.name, each) for each in read_toml(path).get("column", []))
    if own := read_own_file().columns:
        return _columns(_with_own(_shipped_entries(), own))
    return dict(_shipped_columns())


def _shipped_entries() -> list[tuple[str, _Entry]]:
    return [(current_site().columns, each) for each in _shipped()]


_shipped_columns = for_site(lambda _: _columns(_shipped_entries()))
"""What they describe, checked once: a crawl asks for it several times."""


def _columns(entries: Iterable[tuple[str, _Entry]]) -> dict[str, Column]:
    """The columns by id of entries, each with the name of its file. Raises SiteError."""
    site = current_site()
    columns: dict[str, Column] = {}
    urls: dict[str, str] = {}
    for number, (file, entry) in enumerate(entries, 1):
        label = f"{file}: column {entry.get('id', f'number {number}')}"
        column = made(Column, entry, label)
        if fault := _fault(column, site):
            raise SiteError(f"{label}: {fault}")
        if column.id in columns:
            raise SiteError(f"{label}: duplicate id")
        if column.url in urls:
            raise SiteError(f"{label}: url is used by {urls[column.url]} already")
        columns[column.id], urls[column.url] = column, column.id
    return columns


def switched_off() -> list[str]:
    """The ids of the columns that the site enables and zjolcrawl.toml switches off. Raises SiteError."""
    now = load_catalogue()
    return [each["id"] for each in _shipped() if each["enabled"] and not now[each["id"]].enabled]


def _with_own(
    entries: list[tuple[str, _Entry]], owns: list[_Entry]
) -> Iterable[tuple[str, _Entry]]:
    """The entries, each with the name of its file, and those of zjolcrawl.toml among them."""
    by_id = {each["id"]: (file, each) for file, each in entries if "id" in each}
    if len(by_id) < len(entries):  # an id is missing or repeated: `load_catalogue` says which
        return entries
    seen: set[str] = set()
    for own in owns:
        if own["id"] in seen:
            raise SiteError(f"{NAME}: column {own['id']}: duplicate id")
        seen.add(own["id"])
        if known := by_id.get(own["id"]):
            by_id[own["id"]] = NAME, {**known[1], **own}
        elif "url" in own:
            defaults = {
                "site": urlsplit(str(own["url"])).hostname,
                "enabled": True,
                "evidence": "INF",
            }
            by_id[own["id"]] = NAME, {**defaults, **own}
        else:
            near = nearest(own["id"], by_id)
            hint = f"did you mean {near}?" if near else "a new column needs name and url"
            raise SiteError(f"{NAME}: the catalogue has no column {own['id']}: {hint}")
    return by_id.values()


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
