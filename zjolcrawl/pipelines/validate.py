"""Item pipeline that rejects articles without a title or content, with the reason."""

from __future__ import annotations

from typing import Any

from zjolcrawl.items import Article, Outcome


def fault(article: Article) -> str | None:
    """Why an article cannot be stored, or None. An article needs a title and content."""
    if not article.title:
        return "no headline found"
    if not article.body and not article.images and not article.videos:
        return "no body found"
    if 2 * article.title.count("\ufffd") > len(article.title):
        return "the headline is undecodable"
    return None


class ValidatePipeline:
    """Turns an unusable Article into a rejected Outcome; other items pass through."""

    def process_item(self, item: Any) -> Any:
        if isinstance(item, Article) and (reason := fault(item)):
            return Outcome(
                item.link, "rejected", reason,
                final_url=item.url, template=item.template, excerpt=item.body[:2000] or None,
                seen_at=item.visit.seen_at, warc=item.visit.warc,
            )  # fmt: skip
        return item
