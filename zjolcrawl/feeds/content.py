"""The content of entries as HTML that loads nothing and runs nothing: text, tables and links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import nh3

from zjolcrawl.display.article_diff import FIELDS, Change, changes
from zjolcrawl.display.diff import Effort, are_marks_readable, spans
from zjolcrawl.display.html_check import is_well_formed, text_of
from zjolcrawl.feeds.texts import sound

_TAGS = {
    "p", "h2", "strong", "em", "a", "table", "tr", "td", "th", "ul", "ol", "li", "blockquote", "br",
    "figure", "figcaption",
}  # fmt: skip
# Removed with what is in them.
_UNSEEN = {"script", "style", "svg", "math", "template", "iframe", "noscript"}
_MOST = 20_000  # characters shown of a text that is no HTML, and of the edits of an entry


def body(version: Mapping[str, Any]) -> str:
    """The text of a version. HTML that is long or not well-formed becomes plain text."""
    markup, text = version.get("body_html"), version.get("body")
    notes = (("编者按：", version.get("editor_note")), ("摘要：", version.get("abstract")))
    before = "".join(
        _paragraphs(label + note) for label, note in notes if isinstance(note, str) and note
    )
    if isinstance(markup, str) and is_well_formed(markup):
        return before + nh3.clean(
            sound(markup), tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https"},
            url_relative="deny", link_rel="noopener noreferrer", clean_content_tags=_UNSEEN,
        )  # fmt: skip
    plain = text if isinstance(text, str) else ""
    if not plain and isinstance(markup, str):
        plain = text_of(markup)
    return before + _paragraphs(plain)


def edits(old: dict[str, Any], new: dict[str, Any], effort: Effort) -> str:
    """What changed between two versions, by field, character by character: <del> and <ins>."""
    parts: list[str] = []
    name, room = "", _MOST
    for change in changes(old, new, effort):
        if change.field != name:
            name = change.field
            parts.append(f"<h3>{escape(FIELDS[name])}</h3>")
        shown = "".join(_edit(change, effort))
        room -= len(shown)
        if room < 0:
            parts.append("<p>…… 改动太长，其余见修订记录</p>")
            break
        parts.append(shown)
    return "".join(parts) or "<p>改动在未作比较的部分。</p>"


def _edit(change: Change, effort: Effort) -> Iterator[str]:
    if change.kept and change.field == "body":
        yield f"<p>…… 略去未改的 {change.kept} 句</p>"
    if change.cut:
        yield "<p>…… 以后的文字未作比较</p>"
        return
    before, after = ("\n".join(each) for each in (change.removed, change.added))
    if len(before) + len(after) > _MOST:
        yield f"<p><del>{len(before)} 字</del> <ins>{len(after)} 字</ins></p>"
        return
    found = spans(before, after, effort)
    kept = sum(each.i2 - each.i1 for each in found if each.equal)
    if not are_marks_readable(kept, before, after):
        yield f"<p>{_marked('del', before)}{_marked('ins', after)}</p>"
        return
    pieces = (
        _lines(before[each.i1 : each.i2])
        if each.equal
        else _marked("del", before[each.i1 : each.i2]) + _marked("ins", after[each.j1 : each.j2])
        for each in found
    )
    yield f"<p>{''.join(pieces)}</p>"


def _marked(tag: str, text: str) -> str:
    return f"<{tag}>{_lines(text)}</{tag}>" if text else ""


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _paragraphs(text: str) -> str:
    """Plain text as HTML, one paragraph per line."""
    more = "……（全文见归档）" if len(text) > _MOST else ""
    lines = filter(None, map(str.strip, text[:_MOST].split("\n")))
    return "".join(f"<p>{escape(line)}</p>" for line in (*lines, more) if line)
