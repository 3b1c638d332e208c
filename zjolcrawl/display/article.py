"""Formats an article for the terminal: title block, body with images in place, provenance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import html
from rich.text import Text

from zjolcrawl.display.formatting import captured_by, image, moment, people, printed, published
from zjolcrawl.display.html_check import is_well_formed, text_of
from zjolcrawl.storage.documents import records_of, url_of

_INDENT = "　　"


def render(article: dict[str, Any]) -> Iterator[Text]:
    """The lines of an article, with empty lines between its parts; lines are not wrapped."""
    yield from _head(article)
    yield Text()
    for label, name in (("编者按", "editor_note"), ("摘要", "abstract")):
        if note := article.get(name):
            yield Text(f"{_INDENT}{label}：{note}", style="italic")
            yield Text()
    yield from _body(article)
    yield Text()
    yield from _foot(article)
    yield Text()
    yield from _provenance(article)


def _head(article: dict[str, Any]) -> Iterator[Text]:
    if trail := article.get("breadcrumb"):
        yield Text(" > ".join(trail), style="dim")
    if kicker := article.get("kicker"):
        yield Text(kicker)
    yield Text(article["title"], style="bold")
    if subtitle := article.get("subtitle"):
        yield Text(subtitle)
    if original := article.get("original_title"):
        yield Text(f"原标题: {original}")
    source = f"来源: {article['source']}" if "source" in article else None
    line = [published(article), source, printed(article), people(article.get("authors", []))]
    yield Text("  ".join(part for part in line if part))
    if article["status"] == "gone":
        since = f" since {moment(article['gone_at'])}" if "gone_at" in article else ""
        yield Text(f"taken down: gone{since}", style="bold red")


def _body(article: dict[str, Any]) -> Iterator[Text]:
    """`body_html` block by block, then the images that are not in it, videos and attachments."""
    shown: set[int] = set()
    images = {each["url"]: each for each in article.get("images", [])}
    body_html = article.get("body_html", "")
    if not is_well_formed(body_html):  # such HTML can keep a parser busy for hours
        body_html = ""
        for line in (article.get("body") or text_of(article["body_html"])).split("\n"):
            yield Text(f"{_INDENT}{line}")
    for block in html.fragments_fromstring(body_html):
        if isinstance(block, str):
            yield Text(block.strip())
            continue
        for entry in (images.get(each.get("src", "")) for each in block.iter("img")):
            if entry:
                shown.add(entry["position"])
                yield Text(image(entry), style="cyan")
        yield from _block(block)
    for entry in article.get("images", []):
        if entry["position"] not in shown:
            yield Text(image(entry), style="cyan")
    for name in ("videos", "attachments"):
        for each in article.get(name, []):
            yield Text(f"［{name[:-1]}］{each.get('name', '')} {each['url']}", style="cyan")


def _block(block: html.HtmlElement) -> Iterator[Text]:
    if block.tag == "figure":
        return  # its caption is shown with the image
    if block.tag == "table":
        for row in block.iter("tr"):
            yield Text(" | ".join(" ".join(cell.text_content().split()) for cell in row))
        return
    if block.tag in {"ul", "ol"}:
        for item in block.iter("li"):
            yield Text(f"{_INDENT}· {item.text_content().strip()}")
        return
    for br in block.iter("br"):
        br.tail = f"\n{_INDENT}{br.tail or ''}"
    if text := str(block.text_content()).strip():
        yield Text(f"{_INDENT}{text}", style="bold" if block.tag == "h2" else "")


def _foot(article: dict[str, Any]) -> Iterator[Text]:
    if tags := article.get("tags"):
        yield Text(f"标签: {';'.join(tags)}")
    if editors := article.get("editors"):
        yield Text(people(editors))


def _provenance(article: dict[str, Any]) -> Iterator[Text]:
    parser = article["parser"]
    facts = {
        "URL": url_of(article),
        "PDF": article.get("pdf", ""),
        "columns": ", ".join(article.get("columns", [])),
        "pages": ", ".join(article.get("pages", [])),
        "also at": ", ".join(article.get("aliases", [])),
        "version": f"{article['revision']}, {article['status']}, since {moment(article['changed_at'])}",
        "seen": f"{moment(article['first_seen_at'])} to {moment(article['last_seen_at'])}",
        "returned": moment(article["returned_at"]) if "returned_at" in article else "",
        "parser": f"{parser['template']}, version {parser['version']}",
        "record": "; ".join(
            f"{warc['file']} at byte {warc['offset']}, {warc['record_id']}"
            for warc in records_of(article)
        )
        or "none",
        "captured": captured_by(article),
        "sha256": article["content_sha256"],
        "doubts": "; ".join(article.get("warnings", [])),
    }
    for name, fact in facts.items():
        if fact:
            yield Text(f"{name:<9}{fact}", style="dim")
