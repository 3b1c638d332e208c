"""Translates findings and runs into Chinese, from the values they carry beside their English text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zjolcrawl.display.article_diff import FIELDS
from zjolcrawl.display.findings import Finding
from zjolcrawl.display.formatting import moment, size
from zjolcrawl.web.labels import LINK_STATES, column_name

SECTIONS = {
    "run": "运行", "columns": "栏目", "links": "链接", "visits": "访问", "templates": "模板",
    "disk": "磁盘", "archive": "归档", "spool": "暂存", "alarm": "警报", "server": "数据库",
}  # fmt: skip
_COUNTS = {
    "new": "新增", "changed": "改动", "same": "未变", "rejected": "不收", "failed": "失败",
    "gone": "撤下", "doubted": "存疑", "repeated": "如前", "links_new": "新链接", "images_stored": "图片", "images_failed": "图片失败",
    "proposed": "新栏目",
}  # fmt: skip
_ENDS = {"finished": "正常结束", "shutdown": "被人中止", "quiet_hours": "到了静默时段"}
_NAMES = {**FIELDS, "breadcrumb": "所在位置", "time": "时间"}
_MOST = 8
# Findings without values, by their English text.
_FIXED = {
    "no crawl of columns has ended with exit status 0 yet": "还没有一次成功的栏目抓取",
    "no run has read an article yet": "还没有一次运行读到文章",
    "none in the last run": "上次运行没有警报", "empty": "没有等待入库的内容",
}  # fmt: skip

Values = dict[str, Any]


def translated(finding: Finding) -> tuple[str, str]:
    """A finding as (text, language): zh-CN, or en if there is only the English text."""
    for key, translate in _BY_KEY.items():
        if key in finding.values:
            return translate(finding.values), "zh-CN"
    known = _FIXED.get(finding.text)
    return (known, "zh-CN") if known else (finding.text, "en")


def counts_of(run: dict[str, Any]) -> list[tuple[str, int]]:
    """The results of a run: its non-zero counts as (Chinese word, count)."""
    counts = run.get("counts", {})
    return [(word, counts[name]) for name, word in _COUNTS.items() if counts.get(name)]


def end_of(run: dict[str, Any], *, running: bool) -> tuple[str, bool]:
    """How a run ended, and whether it is running or ended with exit status 0."""
    if "ended_at" not in run:
        return ("进行中", True) if running else ("中断", False)
    reason = run.get("finish_reason", "")
    status = run.get("exit_status")
    word = "有事要看" if (reason, status) == ("finished", 1) else _ENDS.get(reason, reason)
    return f"{word}（{status if status is not None else '?'}）", status == 0


def _run(values: Values) -> str:
    status = values["exit_status"]
    return f"最近一次：退出状态 {status}" if status is not None else "最近一次：尚未结束，或已中断"


def _good(values: Values) -> str:
    at = values["ended_at"]
    return f"最近一次成功：{moment(at) if at else '时间不详'}"


def _links(values: Values) -> str:
    states = "，".join(f"{LINK_STATES.get(k, k)} {n:,}" for k, n in values["states"].items())
    return f"{states or '还没有链接'}；到期待取 {values['due']:,}，已放弃 {values['gave_up']:,}"


def _visits(values: Values) -> str:
    visits, failed = values["visits"], values["failed"]
    return f"近几次运行访问 {visits:,} 次，失败 {failed:,} 次（{failed / visits if visits else 0:.1%}）"


def _template(values: Values) -> str:
    lacks = "，".join(
        f"{_NAMES.get(name, name)} {each['now']:.0%}" for name, each in values["missing"].items()
    )
    return f"{values['template']} 缺：{lacks}（共 {values['articles']} 篇）"


def _mix(values: Values) -> str:
    each = "，".join(f"{name} {count:,} 篇" for name, count in values["articles"].items())
    return f"最近一次运行：{each}"


def _listed(
    what: str, key: str, name: Callable[[str], str] = str, unit: str = "处"
) -> Callable[[Values], str]:
    def translate(values: Values) -> str:
        names = [name(each) for each in values[key]]
        more = f" 等 {len(names)} {unit}" if len(names) > _MOST else ""
        return f"{what}：{'、'.join(names[:_MOST])}{more}"

    return translate


def _columns(what: str, key: str) -> Callable[[Values], str]:
    return _listed(what, key, column_name, "个")


# By a key that only one kind of finding has. `template` goes first: its findings have `articles` too.
_BY_KEY: dict[str, Callable[[Values], str]] = {
    "last_run": _run, "last_good_run": _good, "states": _links, "visits": _visits,
    "template": _template, "articles": _mix,
    "well": lambda v: f"启用的 {v['enabled']} 个栏目中，{v['well']} 个正常",
    "never": _columns("从未抓取", "never"), "late": _columns("很久没有成功", "late"),
    "silent": _columns("很久没有新文章", "silent"), "errors": _columns("出错的还有", "errors"),
    "other_errors": _columns("未启用，上次抓取失败", "other_errors"),
    "column": lambda v: f"{column_name(v['column'])} 出错：{v['last_error']}",
    "free": lambda v: f"剩余 {size(v['free'])}，WARC 文件占 {size(v['archive'])}",
    "missing_files": _listed("归档文件不见了", "missing_files"),
    "damaged_parts": _listed("归档文件有损坏", "damaged_parts"),
    "server": lambda v: f"MongoDB {v['server']} 自 {v['end_of_life']} 起不再更新；MONGODB_URI 可指定较新的服务器",
    "files": lambda v: f"{len(v['files'])} 个文件等待入库",
    "set_aside": lambda v: f"{len(v['set_aside'])} 个暂存文件无法入库，已隔离保存，供人查看",
}  # fmt: skip
