"""Chinese labels for values that are stored in English, and for columns, days and durations."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from zjolcrawl.display.formatting import local, span
from zjolcrawl.site.catalogue import Column, load_catalogue, sites
from zjolcrawl.site.names import UnknownName
from zjolcrawl.site.papers import load_papers

IMAGE_STATES = {
    "stored": "已存", "missing": "原站已无此图", "failed": "未能取得", "referenced": "未曾下载",
}  # fmt: skip
LINK_STATES = {
    "pending": "待取", "stored": "已存", "rejected": "不收", "failed": "失败", "gone": "已撤下",
}  # fmt: skip

_KINDS = {"column": "栏目", "host": "网站", "person": "记者或编辑", "tag": "标签"}


def told_unknown(error: UnknownName) -> str:
    """The sentence that a name in a query string is unknown or ambiguous."""
    kind = _KINDS[error.kind]
    if error.meanings:
        return f"“{error.name}”可以指几个{kind}：{'、'.join(error.meanings)}。请选定一个。"
    return f"归档中没有{kind}“{error.name}”。" + (f"是不是 {error.label}？" if error.near else "")


def column_name(column: str) -> str:
    """The name of a column or paper, or its id if it is not in the catalogues."""
    known = _columns().get(column)
    return known.name if known else column


def column_site(column: str) -> str:
    """The group of a column: its host's name, 数字报 (digital papers), or 其他 (other)."""
    if column in load_papers():
        return "数字报"
    known = _columns().get(column)
    return (sites().get(known.site) or known.site) if known else "其他"


@cache
def _columns() -> dict[str, Column]:
    papers = {key: paper.column for key, paper in load_papers().items()}
    return {**load_catalogue(), **papers}


def captured_by(version: dict[str, Any]) -> str:
    """Whose capture a version was parsed from: 导入的文件 old.warc.gz; empty for our own crawls."""
    found = version.get("provenance") or {}
    words = {"import": "导入的文件", "backfill": "网络档案"}
    word = words.get(found.get("kind", ""))
    return f"{word} {found.get('from', '')}".rstrip() if word else ""


def day(value: datetime) -> str:
    """A day in China time: 2017年8月12日."""
    there = local(value)
    return f"{there.year}年{there.month}月{there.day}日"


def length(time: timedelta) -> str:
    """A duration: 52.3 秒, 12 分 5 秒, 3 小时 10 分, 4 天."""
    return span(time, ("秒", "分", "小时", "天"))
