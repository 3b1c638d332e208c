"""An article's versions, when each was seen, and what was edited from one to the next."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from rich.text import Text

from zjolcrawl.display.differences import Change, changes
from zjolcrawl.display.words import moment

_NAMES = {
    "kicker": "引题", "title": "标题", "subtitle": "副题", "published_at": "时间", "source": "来源",
    "authors": "作者", "editors": "编辑", "tags": "标签", "editor_note": "编者按", "body": "正文",
    "images": "图片",
}  # fmt: skip
_OUT, _IN = "red", "green"


def render(versions: list[dict[str, Any]]) -> Iterator[Text]:
    """Lines for the versions of one article, oldest first."""
    newest = versions[-1]
    yield Text(newest["title"], style="bold")
    yield Text(f"{newest['_id']} (times of China)", style="dim")
    former: dict[str, Any] | None = None
    for version in versions:
        yield Text()
        yield Text(_headline(version, is_newest=version is newest), style="bold")
        if former is None:
            yield Text(f"  {version['title']}, {len(version['body'])} characters, "
                       f"{len(version.get('images', []))} images")  # fmt: skip
        else:
            yield from _edits(changes(former, version))
        former = version
    yield from _state(newest)


def _headline(version: dict[str, Any], *, is_newest: bool) -> str:
    seen = f"seen from {moment(version['changed_at'])} to {moment(version['last_seen_at'])}"
    warc = version.get("warc")
    record = f", {warc['record_id']}" if warc else ""
    return f"version {version['revision']}{' (newest)' if is_newest else ''}: {seen}{record}"


def _state(newest: dict[str, Any]) -> Iterator[Text]:
    if "gone_at" not in newest:
        return
    yield Text()
    yield Text(f"taken down: gone when visited {moment(newest['gone_at'])}", style="bold red")
    if newest["status"] == "live" and "returned_at" in newest:
        yield Text(f"restored: there again {moment(newest['returned_at'])}", style="bold green")


def _edits(edits: list[Change]) -> Iterator[Text]:
    named = None
    for edit in edits:
        if edit.field != named:
            named = edit.field
            yield Text(f"  {_NAMES[named]}")
        if edit.kept:
            yield Text(f"      … {edit.kept} unchanged", style="dim")
        yield from _marked(edit)


def _marked(edit: Change) -> Iterator[Text]:
    """Parts taken out and put in; of one part changed into one, the characters are marked."""
    if len(edit.removed) == len(edit.added) == 1:
        yield from _pair(edit.removed[0], edit.added[0])
        return
    for part in edit.removed:
        yield Text(f"    - {part}", style=_OUT)
    for part in edit.added:
        yield Text(f"    + {part}", style=_IN)


def _pair(before: str, after: str) -> Iterator[Text]:
    old, new = Text("    - ", style=_OUT), Text("    + ", style=_IN)
    for what, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        mark = "" if what == "equal" else "reverse"
        old.append(before[i1:i2], style=mark)
        new.append(after[j1:j2], style=mark)
    yield old
    yield new
