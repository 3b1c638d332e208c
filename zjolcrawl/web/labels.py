"""Words for stored values, and for columns, days, durations and doubts, in the language of the page."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from markupsafe import Markup

from zjolcrawl.display import formatting
from zjolcrawl.display.article_diff import FIELDS
from zjolcrawl.site.catalogue import Column, load_catalogue, sites
from zjolcrawl.site.names import UnknownName
from zjolcrawl.site.papers import load_papers
from zjolcrawl.web.texts import _, content

_IMAGE_STATES = {
    "stored": "已存", "missing": "原站已无此图", "failed": "未能取得", "referenced": "未曾下载",
}  # fmt: skip
_LINK_STATES = {
    "pending": "待取", "stored": "已存", "rejected": "不收", "failed": "失败", "gone": "已撤下",
}  # fmt: skip
_UNKNOWN = {
    "column": "归档中没有栏目“{}”。", "host": "归档中没有网站“{}”。",
    "person": "归档中没有记者或编辑“{}”。", "tag": "归档中没有标签“{}”。",
}  # fmt: skip
_AMBIGUOUS = {
    "column": "“{}”可以指几个栏目：{}。请选定一个。", "host": "“{}”可以指几个网站：{}。请选定一个。",
}  # fmt: skip
_NAMES = {
    **FIELDS, "breadcrumb": "所在位置", "time": "时间", "page_number": "版次", "page_name": "版名",
}  # fmt: skip
# Warnings of an article (pipelines and parsing) by their form; {} is what the group matched.
_DOUBTS = {
    re.compile(r"missing: (?P<field>\w{1,40})"): "页面上没有{}",
    re.compile(r"(?P<field>\w{1,40}): from metadata"): "{}取自网页的元数据",
    re.compile(r"(?P<field>\w{1,40}): by its place"): "{}按所在位置认出",
    re.compile(r"(?P<field>\w{1,40}): from <title>"): "{}取自 <title>",
    re.compile(r"(?P<field>\w{1,40}): from the text"): "{}取自正文",
    re.compile(r"(?P<field>\w{1,40}): from the list page"): "{}取自栏目页",
    re.compile(r"(?P<field>\w{1,40}): from the URL"): "{}取自网址",
    re.compile(r"(?P<field>\w{1,40}): from meta keywords"): "{}取自网页的关键词",
    re.compile(r"published_at: the year is not the page's"): "年份不是页面上写的",
    re.compile(r"title: (\d{1,9}) undecodable characters"): "标题中有 {} 个字符解不开",
    re.compile(r"encoding: (\d{1,9}) undecodable bytes"): "网页中有 {} 个字节解不开",
    re.compile(r"pages: more than (\d{1,9}), the rest is not read"): "超过 {} 页，其余未读",
    re.compile(r"pages: (\S{1,2000}) has no text"): "分页 {} 没有文字",
    re.compile(r"images: only the first (\d{1,9}) were fetched"): "只取了前 {} 张图片",
    re.compile(r"image (\d{1,9}) is kept undecoded: (.{1,2000})"): "第 {} 张图片未经解码就存了：{}",
    re.compile(r"image (\d{1,9}): (.{1,2000})"): "第 {} 张图片：{}",
}


def field_name(name: str) -> str:
    """The name of an article's field; the field itself if it has none."""
    return _(_NAMES.get(name, name))


def image_state(status: str) -> str:
    """The state of an image."""
    return _(_IMAGE_STATES.get(status, "未存"))


def link_state(state: str) -> str:
    """The state of a link."""
    return _(_LINK_STATES.get(state, state))


def doubt(warning: str) -> tuple[str, str]:
    """A warning of an article as (text, language): in the language of the page, or English if it is unknown."""
    for form, text in _DOUBTS.items():
        if found := form.fullmatch(warning):
            named = bool(form.groupindex)
            return _(text, *(field_name(v) if named else _number(v) for v in found.groups())), ""
    return warning, "en"


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"\d{1,9}", text) else text


def unknown_name(error: UnknownName) -> str:
    """The sentence that a name in a query string is unknown or ambiguous."""
    if error.meanings:
        return _(_AMBIGUOUS[error.kind], error.name, listed(error.meanings))
    unknown = _(_UNKNOWN[error.kind], error.name)
    return unknown + (_("是不是 {}？", content(error.label)) if error.near else "")


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Names in a row: 甲、乙. Markup if one of them is."""
    between = _("、")
    if any(isinstance(each, Markup) for each in names):
        return Markup.escape(between).join(names)
    return between.join(names)


def column_name(column: str) -> str:
    """The name of a column or paper, or its id if it is not in the catalogues."""
    known = _columns().get(column)
    return known.name if known else column


def column_site(column: str) -> str:
    """The group of a column: its host's name, 数字报 (digital papers), or 其他 (other)."""
    if column in load_papers():
        return _("数字报")
    known = _columns().get(column)
    return (sites().get(known.site) or known.site) if known else _("其他")


@cache
def _columns() -> dict[str, Column]:
    papers = {key: paper.column for key, paper in load_papers().items()}
    return {**load_catalogue(), **papers}


def captured_by(version: dict[str, Any]) -> str:
    """Whose capture a version was parsed from: 导入的文件 old.warc.gz; empty for our own crawls."""
    found = version.get("provenance") or {}
    words = {"import": "导入的文件 {}", "backfill": "网络档案 {}"}
    word = words.get(found.get("kind", ""))
    return _(word, found.get("from", "")).rstrip() if word else ""


def published(article: dict[str, Any]) -> str | None:
    """The publish time in China time, as precise as on the page: 2017年08月12日 07:34; None if unknown."""
    text = formatting.published(article, _)
    return text and text.lstrip("0")


def printed(article: dict[str, Any]) -> str | None:
    """The newspaper page that an article is printed on: 第01版：要闻; None if there is none."""
    number, name = article.get("page_number"), article.get("page_name")
    if number is None:
        return name
    return _("第{}版：{}", str(number), name) if name else _("第{}版", str(number))


def day(value: datetime) -> str:
    """A day in China time: 2017年8月12日."""
    return full_day(formatting.local(value).date())


def full_day(value: date) -> str:
    """A day: 2017年8月12日."""
    month = calendar.month_abbr[value.month]
    return _("{0}年{1}月{2}日", str(value.year), value.month, value.day, month)


def short_day(value: date) -> str:
    """A day without its year: 8月12日."""
    return _("{0}月{1}日", value.month, value.day, calendar.month_abbr[value.month])


def month_name(number: int) -> str:
    """The name of a month: 8月."""
    return _("{0}月", number, calendar.month_name[number])


def length(time: timedelta) -> str:
    """A duration: 52.3 秒, 12 分 5 秒, 3 小时 10 分, 4 天."""
    return formatting.span(time, tuple(map(_, ("秒", "分", "小时", "天"))))
