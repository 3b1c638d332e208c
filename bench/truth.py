"""Loads the correct fields of pages: from golden files, or from marks in a truth file.

Both give a `Truth`. A truth file (its format is explained in truth.toml) holds no text of the
pages. It marks the body and its pictures by XPath, and the text comes from the page itself.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from lxml import etree, html

from zjolcrawl.fixture import UNCHECKED

BEIJING = timezone(timedelta(hours=8))
_NOT_TEXT = "//script | //style | //noscript | //comment() | //processing-instruction()"


@dataclass(slots=True)
class Truth:
    """A page and its correct fields; `fields` holds the scored ones with all accepted values.

    A value is a text (title, source), an ISO time in China as precise as it is known
    (published_at), a list of names, or a list of absolute URLs (images). The first is the page's
    own, the others are accepted too; "" or [] says that the page has none. `bodies` are the
    accepted texts.
    """

    page: Path
    url: str
    kind: str
    headers: dict[str, str]
    fields: dict[str, list[Any]] = field(default_factory=dict)
    bodies: list[str] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        return self.page.name if self.kind != "fixture" else self.url.split("//")[1]


def squeeze(text: str) -> str:
    """The text without whitespace and zero-width characters."""
    return re.sub(r"[\s\u200b-\u200f\u2028-\u202f\u2060\ufeff]+", "", text)


def goldens(folder: Path) -> list[Truth]:
    """The pages under `folder` that have a golden file with a `document` beside them.

    Multi-page articles are left out: the other extractors read one page at a time. So are golden files that
    no person has checked: they say what the parser says.
    """
    truths = []
    for path in sorted(folder.rglob("*.json")):
        golden = json.loads(path.read_text())
        if not isinstance(golden, dict) or UNCHECKED in golden:
            continue
        if "pages" not in golden.get("document", {"pages": []}):
            truths.append(_from_golden(path.with_suffix(""), golden))
    return truths


def marked(truth_file: Path, folder: Path) -> list[Truth]:
    """The pages of a truth file that are in `folder`.

    Raises ValueError if a mark no longer fits its page, because the truth would be wrong.
    """
    entries = tomllib.loads(truth_file.read_text())["page"]
    return [_from_marks(e, folder / e["file"]) for e in entries if (folder / e["file"]).exists()]


def _from_golden(page: Path, golden: dict[str, Any]) -> Truth:
    document = golden["document"]
    published = document.get("published_at", "")
    fields = {
        "title": [document.get("title", "")],
        "published_at": [_in_china(published, document.get("published_precision"))],
        "subtitle": [document.get("subtitle", "")],
        "source": [document.get("source", "")],
        "authors": [[person["name"] for person in document.get("authors", [])]],
        "editors": [[person["name"] for person in document.get("editors", [])]],
        "tags": [document.get("tags", [])],
        "images": [[image["url"] for image in document.get("images", [])]],
    }
    bodies = ["\n".join(document.get("body", []))]
    headers = golden.get("headers", {"Content-Type": "text/html"})
    return Truth(page, golden["url"], "fixture", headers, fields, bodies)


def _in_china(utc: str, precision: str | None) -> str:
    if not utc:
        return ""
    there = datetime.fromisoformat(utc).astimezone(BEIJING)
    length = {"second": 19, "minute": 16, "hour": 13, "day": 10}[precision or "second"]
    return there.strftime("%Y-%m-%dT%H:%M:%S")[:length]


def _from_marks(entry: dict[str, Any], page: Path) -> Truth:
    # Saved as UTF-8, whatever charset the page declares.
    body = _body(entry, page.read_text(encoding="utf-8"))
    images = [urljoin(entry["url"], str(ref)) for ref in body.xpath(entry["images"])]
    also = entry.get("accept", {})
    fields: dict[str, list[Any]] = {"images": [images]}
    for name in ("title", "subtitle", "source", "authors", "editors", "tags"):
        if name in entry:
            fields[name] = [entry[name], *also.get(name, [])]
    fields["published_at"] = [entry["published"], *also.get("published", [])]

    _drop(body, entry.get("not_body", []), page)
    bodies = [_text(body)]
    if len(squeeze(bodies[0])) != entry["chars"]:
        msg = f"{page.name}: {len(squeeze(bodies[0]))} characters, {entry['chars']} were read"
        raise ValueError(msg)
    if "optional" in entry:
        _drop(body, entry["optional"], page)
        bodies.append(_text(body))
    headers = {"Content-Type": "text/html; charset=utf-8"}
    return Truth(page, entry["url"], entry["kind"], headers, fields, bodies)


def _body(entry: dict[str, Any], text: str) -> html.HtmlElement:
    root = html.document_fromstring(text)
    for element in root.xpath(_NOT_TEXT):
        if element.getparent() is not None:
            element.drop_tree()
    found = root.xpath(entry["body"])
    if len(found) != 1:
        msg = f"{entry['file']}: {len(found)} elements for {entry['body']}"
        raise ValueError(msg)
    return found[0]


def _drop(body: html.HtmlElement, marks: list[str], page: Path) -> None:
    """Remove what the marks match: an element with its content, or a text node."""
    for mark in marks:
        found = body.xpath(mark)
        if not found:
            msg = f"{page.name}: nothing for {mark}"
            raise ValueError(msg)
        for node in found:
            if isinstance(node, etree._Element):
                node.drop_tree()
            elif node.is_tail:
                node.getparent().tail = None
            else:
                node.getparent().text = None


def _text(body: html.HtmlElement) -> str:
    """The visible text, one line per block."""
    lines: list[str] = [""]
    _collect(body, lines)
    return "\n".join(line.strip() for line in lines if line.strip())


_INLINE = {"a", "b", "em", "font", "i", "img", "s", "span", "strong", "sub", "sup", "u"}


def _collect(element: html.HtmlElement, lines: list[str]) -> None:
    block = element.tag not in _INLINE
    if block:
        lines.append("")
    lines[-1] += element.text or ""
    for child in element:
        if isinstance(child.tag, str):
            _collect(child, lines)
        lines[-1] += child.tail or ""
    if block:
        lines.append("")
