"""Loads and checks the catalogue of columns (columns.toml) and the host names (sites.toml)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

EVIDENCE = {"REAL", "SEL", "SIS", "INF"}
_TYPES = {"str": str, "bool": bool, "str | None": str}


class CatalogueError(ValueError):
    """The catalogue is invalid; the message is one line that names the entry and the key."""


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
    """The columns by id, in file order; `path` defaults to the bundled columns.toml.

    Raises CatalogueError.
    """
    text = (path or files("zjolcrawl.site") / "columns.toml").read_text(encoding="utf-8")
    where = path.name if path else "columns.toml"
    try:
        entries = tomllib.loads(text).get("column", [])
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{where}: {error}") from error
    columns: dict[str, Column] = {}
    urls: dict[str, str] = {}
    for number, entry in enumerate(entries, 1):
        label = f"{where}: column {entry.get('id', f'number {number}')}"
        column = _column(entry, label)
        if column.id in columns:
            raise CatalogueError(f"{label}: duplicate id")
        if column.url in urls:
            raise CatalogueError(f"{label}: url is used by {urls[column.url]} already")
        columns[column.id], urls[column.url] = column, column.id
    return columns


@cache
def sites() -> dict[str, str | None]:
    """The known hosts of the site, each with its Chinese name, or None where the site gives none."""
    table = tomllib.loads((files("zjolcrawl.site") / "sites.toml").read_text(encoding="utf-8"))
    unnamed = [name for group in table["unnamed"].values() for name in group]
    names = {**dict.fromkeys(unnamed), **table["sites"]}
    return {f"{name}.zjol.com.cn": label for name, label in names.items()}


@cache
def catalogue_names() -> frozenset[str]:
    """The Chinese names of all hosts and columns."""
    columns = (column.name for column in load_catalogue().values())
    return frozenset({*filter(None, sites().values()), *columns})


def site_name(host: str) -> str | None:
    """The Chinese name of a host, None if unknown [REAL: the site's statistics script]."""
    return sites().get(host)


def _column(entry: dict[str, Any], label: str) -> Column:
    known = {field.name: field for field in fields(Column)}
    for key in entry:
        if key not in known:
            raise CatalogueError(f"{label}: unknown key {key}")
    for key, field in known.items():
        if key not in entry and field.default is MISSING:
            raise CatalogueError(f"{label}: {key} is missing")
        if key in entry and not isinstance(entry[key], _TYPES[str(field.type)]):
            raise CatalogueError(f"{label}: {key} has the wrong type")
    column = Column(**entry)
    if fault := _fault(column):
        raise CatalogueError(f"{label}: {fault}")
    return column


def _fault(column: Column) -> str | None:
    parts = urlsplit(column.url)
    checks = {
        "id must be of a-z, 0-9 and -": re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", column.id),
        "name is empty": column.name.strip(),
        "url must be http": parts.scheme == "http",
        "url must be on zjol.com.cn": (parts.hostname or "").endswith(".zjol.com.cn"),
        "url must end in /": column.url.endswith("/"),
        "site must be the url's host": parts.hostname == column.site,
        f"evidence must be one of {', '.join(sorted(EVIDENCE))}": column.evidence in EVIDENCE,
        "name_evidence is unknown": column.name_evidence in EVIDENCE | {None},
        "paging must be index": column.paging in {"index", None},
    }
    return next((reason for reason, holds in checks.items() if not holds), None)
