"""Runs other extractors in their own environment: JSON lines of pages in, of fields out.

python bench/peers.py NAME < pages > fields

An input line is {page, url, encoding}; an output line is {page, ms, fields} or {page, ms, error}.
`fields` uses the names of bench.scoring. Only the standard library and the extractors are available
here, not this project.

Each gets the decoded text, the page's URL and the settings that suit Chinese: newspaper4k, and
news-please through it, get the language; the others have no such setting. trafilatura uses the
settings that gave the best bodies on other sites' pages; it reads twice, and its time covers both.
Lead images (one per page) and lists of all pictures of a page do not count as an article's images;
a site's name does not count as an article's source.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

# What each offers; of a page on which it fails, these count as not found.
OFFERS: dict[str, tuple[str, ...]] = {
    "trafilatura": ("title", "published_at", "authors", "tags", "images", "body"),
    "newspaper4k": ("title", "published_at", "authors", "tags", "body"),
    "gne": ("title", "published_at", "authors", "images", "body"),
    "news-please": ("title", "published_at", "authors", "body"),
}
_BEIJING = timezone(timedelta(hours=8))
_DIGITS = re.compile(
    r"(\d{4})\D{1,3}(\d{1,2})\D{1,3}(\d{1,2})(?:\D{1,4}(\d{1,2})\D(\d{2})(?:\D(\d{2}))?)?"
)
_ROLE = re.compile(r"^(?:作者|文|摄影|图|(?:见习|实习|本报)?记者|通讯员)(?:[：:/]|$)")

Extract = Callable[[str, str], dict[str, Any]]


def iso(value: str | datetime | None) -> str:
    """A time in China as ISO, as precise as `value`; "" for none."""
    if isinstance(value, datetime):
        there = value.astimezone(_BEIJING) if value.tzinfo else value
        return there.strftime("%Y-%m-%dT%H:%M:%S")
    if not value:
        return ""
    if re.search(r"T.*(?:[+-]\d\d:?\d\d|Z)$", value):
        return iso(datetime.fromisoformat(value))
    found = _DIGITS.search(value)
    if not found:
        return value
    year, month, day, hour, minute, second = found.groups()
    text = f"{year}-{int(month):02}-{int(day):02}"
    if hour:
        text += f"T{int(hour):02}:{minute}"
    return f"{text}:{second}" if second else text


def trafilatura() -> Extract:
    from urllib.parse import urljoin

    from trafilatura import bare_extraction

    def extract(text: str, url: str) -> dict[str, Any]:
        found = bare_extraction(
            text, url=url, include_comments=False, include_tables=False, with_metadata=True
        )
        if found is None:
            return {}
        # To ask for pictures costs paragraphs, so they are asked for on their own.
        pictured = bare_extraction(text, url=url, include_comments=False, include_images=True)
        graphics = pictured.body.iter("graphic") if pictured else ()
        return {
            "title": found.title,
            "published_at": iso(found.date),
            "authors": _split(found.author),
            "tags": found.tags or [],
            "images": [urljoin(url, each.get("src", "")) for each in graphics],
            "body": found.text,
        }

    return extract


def newspaper4k() -> Extract:
    from newspaper import Article

    def extract(text: str, url: str) -> dict[str, Any]:
        article = Article(url, language="zh", fetch_images=False)
        article.download(input_html=text)
        article.parse()
        return {
            "title": article.title,
            "published_at": iso(article.publish_date),
            "authors": list(article.authors),
            "tags": sorted(article.tags or []),
            "body": article.text,
        }

    return extract


def gne() -> Extract:
    from gne import GeneralNewsExtractor

    extractor = GeneralNewsExtractor()

    def extract(text: str, url: str) -> dict[str, Any]:
        found = extractor.extract(text, host="/".join(url.split("/")[:3]))
        return {
            "title": found["title"],
            "published_at": iso(found["publish_time"]),
            "authors": _split(found["author"]),
            "images": found["images"],
            "body": found["content"],
        }

    return extract


def news_please() -> Extract:
    from newsplease import NewsPlease
    from newsplease.pipeline.extractor.extractors.newspaper_extractor_no_images import (
        NewspaperExtractorNoImages,
    )

    # from_html takes no language; what it passes to newspaper4k is this method's to say.
    NewspaperExtractorNoImages._article_kwargs = lambda _: {"fetch_images": False, "language": "zh"}

    def extract(text: str, url: str) -> dict[str, Any]:
        found = NewsPlease.from_html(text, url=url, fetch_images=False)
        return {
            "title": found.title,
            "published_at": iso(found.date_publish),
            "authors": list(found.authors or []),
            "body": found.maintext,
        }

    return extract


def _split(names: str | None) -> list[str]:
    """Names split from one text, without the labels and roles that some extractors leave in."""
    parts = (_ROLE.sub("", part) for part in re.split(r"[;；,，、\s]+", names or ""))
    return [part for part in parts if part]


_MAKE = {
    "trafilatura": trafilatura,
    "newspaper4k": newspaper4k,
    "gne": gne,
    "news-please": news_please,
}


def serve(extract: Extract, lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Fields of each page; the first is read twice, so that one-time loading is not timed."""
    warm = False
    for line in lines:
        page = json.loads(line)
        text = Path(page["page"]).read_bytes().decode(page["encoding"], "replace")
        for _ in range(1 if warm else 2):
            warm = True
            began = time.perf_counter()
            try:
                answer = {"fields": extract(text, page["url"])}
            except Exception as error:  # whatever it is, it is the extractor's
                answer = {"error": f"{type(error).__name__}: {error}"[:200]}
            ms = (time.perf_counter() - began) * 1000
        yield {"page": page["page"], "ms": ms, **answer}


if __name__ == "__main__":
    logging.disable()
    for answer in serve(_MAKE[sys.argv[1]](), sys.stdin):
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()
