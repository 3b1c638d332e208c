"""Replaces names that a user gave by those in the archive; an unknown one is an error with the nearest one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeGuard

from zjolcrawl.site.names import COLUMNS_HINT, column_names, find, find_hosts
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.selection import Selection

_FIELDS = {"person": ("authors.name", "editors.name"), "tag": ("tags",)}
_HINTS = {"person": "no article has this reporter or editor", "tag": "no article has it"}


async def resolved(db: Database, selection: Selection) -> Selection:
    """The selection with column ids and full host names. Raises UnknownName.

    A column or host is known if the site's files or the archive have it, a person or tag if an article has it.
    """
    return replace(
        selection,
        people=await _in_articles(db, "person", selection.people),
        tags=await _in_articles(db, "tag", selection.tags),
        columns=await columns_of(db, selection.columns),
        sites=await hosts_of(db, selection.sites),
    )


async def columns_of(db: Database, given: Iterable[str]) -> tuple[str, ...]:
    """The ids of columns, from ids or Chinese names. Raises UnknownName.

    A column that the catalogue no longer has stays known as long as the archive has it.
    """
    if not (given := tuple(given)):
        return ()
    known: dict[str, tuple[str, ...]] = {}
    for each in await _strings(db, "articles", "columns"):
        known[each] = ()
    async for row in db["columns"].find({}, {"name": 1}):
        if isinstance(row["_id"], str):
            name = row.get("name")
            known[row["_id"]] = (name,) if _is_text(name) else ()
    return find("column", given, {**known, **column_names()}, COLUMNS_HINT)


async def hosts_of(db: Database, given: Iterable[str]) -> tuple[str, ...]:
    """Full host names, from short, full or Chinese ones. Raises UnknownName."""
    if not (given := tuple(given)):
        return ()
    return find_hosts(given, await _strings(db, "articles", "site"))


async def templates_of(db: Database, given: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Names of templates: `known` ones, or those of former articles. Raises UnknownName."""
    given, names = tuple(given), dict.fromkeys(known, ())
    if set(given) - set(names):  # no index has the template, so this reads all articles
        names |= dict.fromkeys(await _strings(db, "articles", "parser.template"), ())
    return find("template", given, names)


async def _in_articles(db: Database, kind: str, given: Iterable[str]) -> tuple[str, ...]:
    fields = _FIELDS[kind]
    found: list[str] = []
    for name in given:
        wanted = {"$or": [{field: name} for field in fields]}
        if _is_unicode(name) and await db["articles"].find_one(wanted, {"_id": 1}):
            found.append(name)
            continue
        names = [each for field in fields for each in await _strings(db, "articles", field)]
        # In a thread, because it takes half a second for 100,000 tags.
        known = dict.fromkeys(names, ())
        found += await asyncio.to_thread(find, kind, [name], known, _HINTS[kind])
    return tuple(dict.fromkeys(found))


async def _strings(db: Database, collection: str, field: str) -> list[str]:
    """The different values of a field that are text; quick if an index begins with the field."""
    return [each for each in await db[collection].distinct(field) if _is_text(each)]


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)


def _is_unicode(text: str) -> bool:
    """Whether the text can be sent to the server; a byte of another encoding on a command line cannot."""
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False
