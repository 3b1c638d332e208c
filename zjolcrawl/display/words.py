"""Values of documents as a reader writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
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
    form = _PRECISION.get(article.get("published_precision", "second"), _PRECISION["second"])
    return local(moment).strftime(form) if moment else None


def printed(article: dict[str, Any]) -> str | None:
    """The page of the paper that an article stands on: 第01版：要闻."""
    if "page_number" not in article:
        return article.get("page_name")
    name = f"：{article['page_name']}" if "page_name" in article else ""
    return f"第{article['page_number']}版{name}"


def moment(value: datetime) -> str:
    """A time of the archive's own on the site's clock."""
    return local(value).strftime("%Y-%m-%d %H:%M:%S")


def local(value: datetime) -> datetime:
    """A time on the site's clock; one of the last hours that Python knows stays on that of UTC."""
    try:
        return value.astimezone(CHINA)
    except OverflowError:
        return value


def people(bylines: list[dict[str, str]]) -> str:
    """People as a byline names them: 浙江在线记者 江帆."""
    return " ".join(f"{each.get('outlet', '')}{each['role']} {each['name']}" for each in bylines)


def image(entry: dict[str, Any]) -> str:
    """One line on an image: what it shows, what became of it, where its bytes are."""
    size = f"{entry['width']}×{entry['height']}" if "width" in entry else ""
    facts = [entry["status"], size, entry.get("path") or entry["url"]]
    caption = entry.get("caption") or entry.get("alt") or ""
    return f"［图{entry['position']}］{caption}（{' '.join(fact for fact in facts if fact)}）"


def counted(count: int, noun: str) -> str:
    """A number and its noun, whose plural takes an s: 1 link, 2 links."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def some(names: Sequence[str], most: int = 8) -> str:
    """Names on one line: the first `most`, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def span(time: timedelta) -> str:
    """A length of time: 52.3 s, 12 min 5 s, 3 h 10 min, 4 days."""
    seconds = max(0.0, time.total_seconds())
    minutes, hours, days = (int(seconds // size) for size in (60, 3600, 86400))
    if minutes < 1:
        return f"{seconds:.1f} s"
    if hours < 1:
        return f"{minutes} min {int(seconds % 60)} s"
    if hours < 48:
        return f"{hours} h {minutes % 60} min"
    return f"{days} days"


def size(count: float) -> str:
    """Bytes in decimal units: 512 bytes, 1.2 MB, 3.4 GB."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count:.0f} bytes"
