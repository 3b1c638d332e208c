"""Formats `scrapy history`: the versions of an article, when each was seen, and the edits between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from zjolcrawl.archive.cdx import stamp_of
from zjolcrawl.display.article_diff import FIELDS, MOST_TEXT, Change, changes, pairs
from zjolcrawl.display.diff import Effort
from zjolcrawl.display.formatting import captured_by, moment
from zjolcrawl.messages import counted

_OUT, _IN = "red", "green"


def heading(newest: dict[str, Any]) -> Iterator[Text]:
    """The lines above the versions: title and URL."""
    yield Text(newest["title"], style="bold")
    yield Text(f"{newest['_id']} (China time)", style="dim")


def edition(
    version: dict[str, Any], former: dict[str, Any] | None, effort: Effort, *, is_newest: bool
) -> Iterator[Text]:
    """The lines of a version: dates, and the edits since `former`, or a summary if that is None."""
    yield Text()
    yield Text(_headline(version, is_newest=is_newest), style="bold")
    if former is None:
        counts = (version["characters"], "character"), (len(version.get("images", [])), "image")
        yield Text(f"  {version['title']}, {', '.join(counted(*each) for each in counts)}")
    else:
        yield from _edits(changes(former, version, effort), effort)


def _headline(version: dict[str, Any], *, is_newest: bool) -> str:
    seen = f"seen from {moment(version['changed_at'])} to {moment(version['last_seen_at'])}"
    warc = version.get("warc")
    record = f", {warc['record_id']}" if warc else ""
    if others := captured_by(version):
        record += f", {others}"
    at = f", --at {stamp_of(version['changed_at'])}"
    return f"version {version['revision']}{' (newest)' if is_newest else ''}: {seen}{at}{record}"


def ending(newest: dict[str, Any]) -> Iterator[Text]:
    """The lines about a takedown and a restoration, if any."""
    if "gone_at" not in newest:
        return
    yield Text()
    yield Text(f"taken down: gone when visited {moment(newest['gone_at'])}", style="bold red")
    if newest["status"] == "live" and "returned_at" in newest:
        yield Text(f"restored: there again {moment(newest['returned_at'])}", style="bold green")


def _edits(edits: list[Change], effort: Effort) -> Iterator[Text]:
    named = None
    for edit in edits:
        if edit.field != named:
            named = edit.field
            yield Text(f"  {FIELDS[named]}")
        if edit.kept:
            yield Text(f"      … {edit.kept} unchanged", style="dim")
        yield from _marked(edit, effort)
        if edit.cut:
            yield Text(f"      … not compared beyond {MOST_TEXT} characters", style="dim")


def _marked(edit: Change, effort: Effort) -> Iterator[Text]:
    """Removed and added parts; if one part replaced one other, the changed characters are marked."""
    if pieces := pairs(edit, effort):
        yield from _pair(pieces)
        return
    for part in edit.removed:
        yield Text(f"    - {part}", style=_OUT)
    for part in edit.added:
        yield Text(f"    + {part}", style=_IN)


def _pair(pieces: list[tuple[str, str]]) -> Iterator[Text]:
    old, new = Text("    - ", style=_OUT), Text("    + ", style=_IN)
    for before, after in pieces:
        mark = "" if before == after else "reverse"
        old.append(before, style=mark)
        new.append(after, style=mark)
    yield old
    yield new
