"""Reads zjolcrawl.toml in the working folder: a user's own settings and columns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zjolcrawl.messages import nearest
from zjolcrawl.site.description import SiteError, read_toml

NAME = "zjolcrawl.toml"


@dataclass(frozen=True, slots=True)
class OwnFile:
    """`settings` by name, and `columns` in the form of columns.toml, perhaps with a part of the keys."""

    settings: dict[str, Any] = field(default_factory=dict)
    columns: list[dict[str, Any]] = field(default_factory=list)


def read_own_file() -> OwnFile:
    """The file's content; empty if there is no such file. Raises SiteError."""
    if not (path := Path(NAME)).exists():
        return OwnFile()
    table = read_toml(path)
    types = {"settings": dict, "column": list}
    for key, value in table.items():
        if key not in types:
            raise SiteError(f"{NAME}: unknown key {key}: expected [settings] or [[column]]")
        if type(value) is not types[key]:
            form = "[settings]" if key == "settings" else "[[column]]"
            raise SiteError(f"{NAME}: {key} has the wrong type: write it as {form}")
    columns = table.get("column", [])
    if not all(isinstance(each, dict) and isinstance(each.get("id"), str) for each in columns):
        raise SiteError(f"{NAME}: each [[column]] needs an id")
    return OwnFile(table.get("settings", {}), columns)


def own_settings(known: Collection[str]) -> dict[str, Any]:
    """The file's settings. Raises SiteError for a name that is not in `known`."""
    settings = read_own_file().settings
    for name in settings:
        if name not in known:
            near = nearest(name.upper(), known)
            raise SiteError(f"{NAME}: unknown setting {name}" + (f": {near}?" if near else ""))
    return settings
