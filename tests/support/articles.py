"""Articles from keyword arguments, those of their visit among them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from zjolcrawl.items import Article, Visit

_OF_VISIT = {each.name for each in fields(Visit)} - {"columns"}


def made_article(**values: Any) -> Article:
    """`made_article(url=…, title=…, seen_at=…, link=…)`: fields of Article and of Visit."""
    visit = {name: values.pop(name) for name in _OF_VISIT & values.keys()}
    return Article(**values, visit=Visit(**visit))
