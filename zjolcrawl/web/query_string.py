"""Parses and validates query strings: only cleaned text, days and whole numbers come out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from starlette.exceptions import HTTPException

from zjolcrawl.archive.cdx import moment_of
from zjolcrawl.argument_values import names
from zjolcrawl.days import days_ago
from zjolcrawl.parsing.fields.dates import YEARS
from zjolcrawl.parsing.urls import canonical
from zjolcrawl.storage.queries.selection import Selection
from zjolcrawl.web.texts import _

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]+")
_LONGEST = 200  # characters of a field
_TEXTS = ("q", "column", "host", "person", "tag")
_FLAGS = ("edited", "gone", "images")
_EARLIEST = date(YEARS[0], 1, 1)
FIELDS = (*_TEXTS, "since", "until", "changed_since", "gone_since", *_FLAGS)
"""The fields of the search form."""

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SearchForm:
    """The search form: the query `q`, the filters as a Selection, and the fields that are filled in.

    The Selection has names as the user gave them, until they are looked up in the archive. Articles that were edited
    or taken down are selected by change, so lists have the last change first. `faults` says of invalid fields, which
    select nothing, what is wrong.
    """

    q: str
    selection: Selection
    fields: dict[str, str]
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def filters(self) -> dict[str, str]:
        """The filled-in fields without `q`."""
        return {name: value for name, value in self.fields.items() if name != "q"}


def parse_search(params: Params) -> SearchForm:
    """Parse the search form. Raises HTTPException 400 for an invalid field."""
    form = read_search(params)
    for fault in form.faults.values():
        raise HTTPException(400, fault)
    return form


def read_search(params: Params) -> SearchForm:
    """Parse the search form; invalid fields keep what was typed and are in `faults`."""
    fields: dict[str, str] = {}
    faults: dict[str, str] = {}
    days: dict[str, date] = {}
    for name in _TEXTS:
        try:
            fields[name] = text(params, name)
        except HTTPException as error:
            fields[name], faults[name] = _line(params, name)[:_LONGEST], error.detail
    for name in ("since", "until", "changed_since", "gone_since"):
        try:
            if found := day(params, name, relative=name not in {"since", "until"}):
                days[name], fields[name] = found, found.isoformat()
        except HTTPException as error:
            fields[name], faults[name] = _line(params, name)[:_LONGEST], error.detail
    if {"since", "until"} <= days.keys() and days["since"] > days["until"]:
        faults["until"] = _("起始日期 {} 晚于截止日期 {}。", fields["since"], fields["until"])
    flags = {name: "1" for name in _FLAGS if params.get(name) not in {None, "", "0"}}
    return SearchForm(
        fields["q"], _selection(fields, days, flags), {k: v for k, v in {**fields, **flags}.items() if v}, faults,
    )  # fmt: skip


def _selection(
    fields: Mapping[str, str], days: Mapping[str, date], flags: Mapping[str, str]
) -> Selection:
    edited, gone = "edited" in flags, "gone" in flags
    # Of two days of changes either is enough, so a flag must not add one to a day that was given.
    ever = None if {"changed_since", "gone_since"} & days.keys() else _EARLIEST
    return Selection(
        days.get("since"), days.get("until"), names(fields["column"]), names(fields["host"]),
        _people(fields["person"]), _people(fields["tag"]), edited=edited, gone=gone, images="images" in flags,
        changed_since=days.get("changed_since", ever if edited else None),
        gone_since=days.get("gone_since", ever if gone else None),
    )  # fmt: skip


def without_empty(params: Params, known: Iterable[str] = FIELDS) -> dict[str, str] | None:
    """The `known` fields that are filled in, if a form was sent with empty ones too; otherwise None.

    A browser sends each field of a form; the page redirects to the URL without the empty ones, which is shorter to
    share.
    """
    known = tuple(known)
    if not any(params.get(name) == "" for name in known):
        return None
    return {name: value for name in known if (value := params.get(name))}


def key_of(url: str) -> str | None:
    """The canonical URL, which is an article's key in MongoDB; None if `url` is not a URL."""
    try:
        return canonical(url)
    except ValueError:
        return None


def text(params: Params, name: str, *, most: int = _LONGEST) -> str:
    """A field as one line of text, empty if absent. Raises HTTPException 400 if it is too long."""
    value = _line(params, name)
    if len(value) > most:
        raise HTTPException(400, _("{}太长：最多 {} 个字。", _label(name), most))
    return value


def _line(params: Params, name: str) -> str:
    return " ".join(_CONTROL.sub(" ", params.get(name, "")).split())


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
        raise HTTPException(400, _("“{}”不是日期；要写成 2017-08-12 这样。", value)) from None
    if found.year not in YEARS:
        between = _("日期要在 {} 年至 {} 年之间。", str(YEARS[0]), str(YEARS[-1]))
        raise HTTPException(400, between)
    return found


def instant(params: Params, name: str) -> datetime | None:
    """A field of 14 digits as a UTC time, None if absent. Raises HTTPException 400."""
    value = text(params, name)
    if not value:
        return None
    try:
        return moment_of(value)
    except ValueError:
        raise HTTPException(400, _("{} 要写成 20170812034512 这样（世界时）。", name)) from None


def integer(params: Params, name: str, default: int, *, least: int = 1, most: int) -> int:
    """A field as a number from `least` to `most`, `default` if absent. Raises HTTPException 400."""
    value = text(params, name)
    if not value:
        return default
    if not re.fullmatch(r"\d{1,7}", value, re.ASCII) or not least <= int(value) <= most:
        whole = _("{}要是 {} 至 {} 的整数。", _label(name), str(least), str(most))
        raise HTTPException(400, whole)
    return int(value)


_LABELS = {
    "q": "检索词", "column": "栏目名", "host": "网站名", "person": "人名", "tag": "标签名", "url": "网址",
    "since": "日期", "until": "日期",
    "changed_since": "日期", "gone_since": "日期", "page": "页码", "revision": "版本号", "year": "年份",
}  # fmt: skip


def _label(name: str) -> str:
    return _(_LABELS.get(name, name))


def _people(value: str) -> tuple[str, ...]:
    return names(re.sub("[，、；;]", ",", value))
