"""Writes feeds as files for a static web server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from zjolcrawl.export.output import whole_file
from zjolcrawl.feeds import atom, json_feed
from zjolcrawl.feeds.entries import entries
from zjolcrawl.feeds.feed import OF_VALUES, Feed, Page

_FORMS = {"atom": atom, "json": json_feed}
_LONGEST = 60  # characters of a name; a file name may have 255 bytes


def file_name(feed: Feed) -> str:
    """The path of a feed's files below their folder, without an ending: changes, column/zjxw, search/环保."""
    for name, folder in {**{each: each for each in OF_VALUES}, "q": "search"}.items():
        if list(feed.fields) == [name]:
            return f"{folder}/{_safe(feed.fields[name])}"
    return feed.name


def write(folder: Path, feed: Feed, page: Page, base_url: str = "") -> int:
    """Write a page of a feed in both forms, below `folder`; returns how many files have changed.

    `base_url` is the URL of `folder`, with a slash at its end. A file whose content is the same keeps its time, so that a web server
    answers 304. Raises OSError, FileRefused.
    """
    shown = entries(page)
    changed = 0
    for ending, form in _FORMS.items():
        name = f"{file_name(feed)}.{ending}"
        path = folder / name
        links = dict.fromkeys(("self", "first"), f"{base_url}{quote(name)}") if base_url else {}
        content = form.render(feed, shown, links)
        if _has(path, content):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path, force=True) as file:
            file.write(content)
        changed += 1
    return changed


def left_over(folder: Path, feeds: Iterable[Feed]) -> list[str]:
    """The feeds in `folder` that are not among `feeds`, as paths below it: nothing updates them any more."""
    wanted = {f"{file_name(feed)}.atom" for feed in feeds}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.atom")}
    return sorted(there - wanted)


def _has(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _safe(text: str) -> str:
    """A file name: letters, digits, - and _ as they are, and a checksum if there was anything else."""
    name = "".join(_words(text))[:_LONGEST]
    if name == text:
        return name
    checksum = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name}-{checksum}".lstrip("-")


def _words(text: str) -> Iterator[str]:
    for found in re.finditer(r"[\w-]+|[^\w-]+", text):
        yield found[0] if re.match(r"[\w-]", found[0]) else "-"
