"""Values of documents as a reader writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from zjolcrawl.parsing.fields.dates import CHINA

_PRECISION = {
    "second": "%Y年%m月%d日 %H:%M:%S",
    "minute": "%Y年%m月%d日 %H:%M",
    "hour": "%Y年%m月%d日 %H时",
    "day": "%Y年%m月%d日",
}


def published(article: dict[str, Any]) -> str | None:
    """The publish time on the site's clock, as exactly as the page gave it."""
    moment: datetime | None = article.get("published_at")
    form = _PRECISION[article.get("published_precision", "second")]
    return moment.astimezone(CHINA).strftime(form) if moment else None


def moment(value: datetime) -> str:
    """A time of the archive's own on the site's clock."""
    return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def people(bylines: list[dict[str, str]]) -> str:
    """People as a byline names them: 浙江在线记者 江帆."""
    return " ".join(f"{each.get('outlet', '')}{each['role']} {each['name']}" for each in bylines)


def image(entry: dict[str, Any]) -> str:
    """One line on an image: what it shows, what became of it, where its bytes are."""
    size = f"{entry['width']}×{entry['height']}" if "width" in entry else ""
    facts = [entry["status"], size, entry.get("path") or entry["url"]]
    caption = entry.get("caption") or entry.get("alt") or ""
    return f"［图{entry['position']}］{caption}（{' '.join(fact for fact in facts if fact)}）"
