"""Parses and validates query strings: only cleaned text, days and whole numbers come out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from starlette.exceptions import HTTPException

from zjolcrawl.argument_values import names
from zjolcrawl.days import days_ago
from zjolcrawl.parsing.fields.dates import YEARS
from zjolcrawl.parsing.urls import canonical
from zjolcrawl.storage.queries.selection import Selection

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]+")
_LONGEST = 200  # characters of a field
_FLAGS = ("edited", "gone", "images")
FIELDS = (
    "q", "column", "host", "person", "tag", "since", "until", "changed_since", "gone_since", *_FLAGS,
)  # fmt: skip
"""The fields of the search form."""

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SearchForm:
    """The search form: the query `q`, the filters as a Selection, and the fields that are filled in.

    The Selection has names as the user gave them, until they are looked up in the archive.
    """

    q: str
    selection: Selection
    fields: dict[str, str]

    @property
    def filters(self) -> dict[str, str]:
        """The filled-in fields without `q`."""
        return {name: value for name, value in self.fields.items() if name != "q"}


def parse_search(params: Params) -> SearchForm:
    """Parse the search form. Raises HTTPException 400 for an invalid field."""
    texts = {name: text(params, name) for name in ("q", "column", "host", "person", "tag")}
    since, until = day(params, "since"), day(params, "until")
    if since and until and since > until:
        raise HTTPException(400, f"起始日期 {since} 晚于截止日期 {until}。")
    changes = {name: day(params, name, relative=True) for name in ("changed_since", "gone_since")}
    flags = {name: "1" for name in _FLAGS if params.get(name) not in {None, "", "0"}}
    days = {"since": since, "until": until, **changes}
    fields = {**texts, **{k: v.isoformat() if v else "" for k, v in days.items()}, **flags}
    selection = Selection(
        since, until, names(texts["column"]), names(texts["host"]),
        _people(texts["person"]), _people(texts["tag"]),
        edited="edited" in flags, gone="gone" in flags, images="images" in flags, **changes,
    )  # fmt: skip
    return SearchForm(texts["q"], selection, {k: v for k, v in fields.items() if v})


def key_of(url: str) -> str | None:
    """The canonical URL, which is an article's key in MongoDB; None if `url` is not a URL."""
    try:
        return canonical(url)
    except ValueError:
        return None


def text(params: Params, name: str, *, most: int = _LONGEST) -> str:
    """A field as one line of text, empty if absent. Raises HTTPException 400 if it is too long."""
    value = " ".join(_CONTROL.sub(" ", params.get(name, "")).split())
    if len(value) > most:
        raise HTTPException(400, f"{_LABELS.get(name, name)}太长：最多 {most} 个字。")
    return value


def day(params: Params, name: str, *, relative: bool = False) -> date | None:
    """A field as a date, None if absent; if `relative`, also days back from today, such as 7d.

    Raises HTTPException 400 if it is not a date within YEARS.
    """
    value = text(params, name)
    if not value:
        return None
    if relative and (found := days_ago(value)):
        return found
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise HTTPException(400, "日期要写成 2017-08-12 这样。") from None
    if found.year not in YEARS:
        raise HTTPException(400, f"日期要在 {YEARS[0]} 年至 {YEARS[-1]} 年之间。")
    return found


def integer(params: Params, name: str, default: int, *, least: int = 1, most: int) -> int:
    """A field as a number from `least` to `most`, `default` if absent. Raises HTTPException 400."""
    value = text(params, name)
    if not value:
        return default
    if not re.fullmatch(r"\d{1,7}", value, re.ASCII) or not least <= int(value) <= most:
        raise HTTPException(400, f"{_LABELS.get(name, name)}要是 {least} 至 {most} 的整数。")
    return int(value)


_LABELS = {
    "q": "检索词", "column": "栏目", "host": "网站", "person": "人名", "tag": "标签", "url": "网址",
    "since": "日期", "until": "日期", "changed_since": "日期", "gone_since": "日期", "page": "页码", "revision": "版本号", "year": "年份",
}  # fmt: skip


def _people(value: str) -> tuple[str, ...]:
    return names(re.sub("[，、；;]", ",", value))
