"""The texts of the pages in the language of the page.

They are Chinese in templates and views; texts.toml has the English of each. The stored articles, and names of columns
and hosts, are never translated.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from zjolcrawl.web.language import CHINESE, current

Entry = str | list[str]
"""An English text, or its singular and plural, of which the first whole number among the values decides."""


@cache
def catalogue() -> dict[str, Entry]:
    """The English texts by their Chinese text."""
    return tomllib.loads((files("zjolcrawl.web") / "texts.toml").read_text(encoding="utf-8"))


def _(chinese: str, *values: object) -> str:
    """A text in the language of the page, with `values` in the places of its {}.

    Whole numbers are grouped (1,204); a year is given as a string. With a value that is Markup the result is Markup.
    """
    text = chinese if current().tag == CHINESE else _english(chinese, values)
    if not values:
        return text
    shown = [f"{each:,}" if isinstance(each, int) else each for each in values]
    if any(isinstance(each, Markup) for each in shown):
        return Markup.escape(text).format(*shown)
    return text.format(*shown)


def content(text: object) -> Markup:
    """A stored Chinese text within a text of the page, marked as Chinese for screen readers."""
    return Markup('<span lang="zh-CN">{}</span>').format(text)


def _english(chinese: str, values: tuple[object, ...]) -> str:
    entry = catalogue().get(chinese, chinese)
    if isinstance(entry, str):
        return entry
    count = next((each for each in values if isinstance(each, int)), 0)
    return entry[0] if count == 1 else entry[1]
