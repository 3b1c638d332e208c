"""Findings and runs in the language of the page, from the values they carry beside their English text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zjolcrawl.display.findings import Finding
from zjolcrawl.display.formatting import moment, size
from zjolcrawl.web.labels import column_name, field_name, link_state, listed
from zjolcrawl.web.texts import _, content

_SECTIONS = {
    "run": "运行", "columns": "栏目", "links": "链接", "visits": "访问", "templates": "模板",
    "disk": "磁盘", "archive": "归档", "spool": "暂存", "alarm": "警报", "server": "数据库",
}  # fmt: skip
_COUNTS = {
    "new": "新增", "changed": "改动", "same": "未变", "rejected": "不收", "failed": "失败",
    "gone": "撤下", "doubted": "有待确认", "repeated": "如前", "links_new": "新链接", "images_stored": "图片", "images_failed": "图片失败",
    "proposed": "新栏目",
}  # fmt: skip
_ENDS = {
    "finished": "正常结束", "shutdown": "被人中止", "quiet_hours": "到了静默时段",
}  # fmt: skip
_MOST = 8
# Findings without values, by their English text.
_FIXED = {
    "no crawl of columns has ended with exit status 0 yet": "还没有一次成功的栏目抓取",
    "no run has read an article yet": "还没有一次运行读到文章",
    "none in the last run": "上次运行没有警报", "empty": "没有等待入库的内容",
}  # fmt: skip

Values = dict[str, Any]


def section_name(section: str) -> str:
    """The name of a section of findings."""
    return _(_SECTIONS.get(section, section))


def translated(finding: Finding) -> tuple[str, str]:
    """A finding as (text, language): in the language of the page, or en if there is only the English text."""
    for key, translate in _BY_KEY.items():
        if key in finding.values:
            return translate(finding.values), ""
    known = _FIXED.get(finding.text)
    return (_(known), "") if known else (finding.text, "en")


def counts_of(run: dict[str, Any]) -> list[tuple[str, int]]:
    """The results of a run: its non-zero counts as (word, count)."""
    counts = run.get("counts", {})
    return [(_(word), counts[name]) for name, word in _COUNTS.items() if counts.get(name)]


def end_of(run: dict[str, Any], *, running: bool) -> tuple[str, bool]:
    """How a run ended, and whether it is running or needs nobody."""
    if "ended_at" not in run:
        return (_("进行中"), True) if running else (_("中断"), False)
    reason, status = run.get("finish_reason", ""), run.get("exit_status")
    if (reason, status) == ("finished", 1):
        return _("有事要看"), False
    end = _(_ENDS.get(reason, reason or "结束方式不详"))
    return (end, True) if status == 0 else (_("{}，有事要看", end), False)


def _run(values: Values) -> str:
    status = values["exit_status"]
    if status is None:
        return _("最近一次：尚未结束，或已中断")
    return _("最近一次：正常") if status == 0 else _("最近一次：有事要看")


def _good(values: Values) -> str:
    at = values["ended_at"]
    return _("最近一次成功：{}", moment(at) if at else _("时间不详"))


def _links(values: Values) -> str:
    states = listed([f"{link_state(k)} {n:,}" for k, n in values["states"].items()])
    known = states or _("还没有链接")
    return _("{}；到期待取 {}，已放弃 {}", known, values["due"], values["gave_up"])


def _visits(values: Values) -> str:
    visits, failed = values["visits"], values["failed"]
    rate = f"{failed / visits if visits else 0:.1%}"
    return _("近几次运行访问 {} 次，失败 {} 次（{}）", visits, failed, rate)


def _template(values: Values) -> str:
    lacks = [f"{field_name(name)} {each['now']:.0%}" for name, each in values["missing"].items()]
    return _("{} 缺：{}（共 {} 篇）", values["template"], listed(lacks), values["articles"])


def _mix(values: Values) -> str:
    each = [_("{} {} 篇", name, count) for name, count in values["articles"].items()]
    return _("最近一次运行：{}", listed(each))


def _column(column: str) -> str:
    return content(column_name(column))


def _failing(values: Values) -> str:
    return _("{} 出错：{}", _some(values["failing"], _column), values["last_error"])


def _free(values: Values) -> str:
    return _("剩余 {}，WARC 文件占 {}", size(values["free"]), size(values["archive"]))


def _some(given: list[str], name: Callable[[str], str] = str) -> str:
    """The first names, and how many there are if not all are named."""
    names = listed([name(each) for each in given[:_MOST]])
    return _("{} 等 {} 个", names, len(given)) if len(given) > _MOST else names


def _listed(text: str, key: str, name: Callable[[str], str] = str) -> Callable[[Values], str]:
    return lambda values: _(text, _some(values[key], name))


# By a key that only one kind of finding has. `template` goes first: its findings have `articles` too.
_BY_KEY: dict[str, Callable[[Values], str]] = {
    "last_run": _run, "last_good_run": _good, "states": _links, "visits": _visits,
    "template": _template, "articles": _mix,
    "well": lambda v: _("启用的 {} 个栏目中，{} 个正常", v["enabled"], v["well"]),
    "never": _listed("从未抓取：{}", "never", _column),
    "late": _listed("很久没有成功：{}", "late", _column),
    "silent": _listed("很久没有新文章：{}", "silent", _column),
    "failing": _failing, "errors": _listed("出错的还有：{}", "errors", _column),
    "other_errors": _listed("未启用，上次抓取失败：{}", "other_errors", _column),
    "free": _free,
    "missing_files": _listed("归档文件不见了：{}", "missing_files"),
    "damaged_parts": _listed("归档文件有损坏：{}", "damaged_parts"),
    "foreign_files": _listed("归档目录里有别的程序的 WARC 文件，没有读：{}", "foreign_files"),
    "server": lambda v: _("MongoDB {} 自 {} 起不再更新；MONGODB_URI 可指定较新的服务器", v["server"], v["end_of_life"]),
    "files": lambda v: _("{} 个文件等待入库", len(v["files"])),
    "set_aside": lambda v: _("{} 个暂存文件无法入库，已隔离保存，供人查看", len(v["set_aside"])),
}  # fmt: skip
