"""The parameters of the API: one table that checks them and from which their description is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from starlette.datastructures import QueryParams

from zjolcrawl.argument_values import ArgumentError, names, parse_one_day, parse_switch
from zjolcrawl.messages import nearest
from zjolcrawl.parsing.urls import canonical
from zjolcrawl.search import ORDERS, SPANS
from zjolcrawl.search.query import MOST_CHARACTERS, MOST_TERMS
from zjolcrawl.storage.documents import LONGEST_KEY
from zjolcrawl.storage.queries.selection import Selection
from zjolcrawl.web.api.problems import Problem

LIMIT, MOST = 20, 100
_LONGEST, _LONGEST_URL = 200, 2000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
_DAY = r"\d{4}-\d\d-\d\d"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a query string.

    `meaning` and `chinese`: what it is for. `schema`: its JSON Schema. `read` makes the value of a text and
    raises ValueError, whose message is for the client. `many`: it may occur several times, and commas separate
    values too. `longest`: characters of a text.
    """

    name: str
    meaning: str
    chinese: str
    schema: dict[str, Any]
    read: Callable[[str, str], Any] = lambda _, text: text
    many: bool = False
    required: bool = False
    longest: int = _LONGEST
    example: str = ""
    default: Any = field(default=None)


def _whole_number(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,7}", text, re.ASCII) or not 1 <= int(text) <= MOST:
        raise ArgumentError(f"{name}={text} is not a whole number from 1 to {MOST}")
    return int(text)


def _day(name: str, text: str) -> date | None:
    return parse_one_day(name, text)


def _change_day(name: str, text: str) -> date | None:
    return parse_one_day(name, text, relative=True)


def _url(name: str, text: str) -> str:
    try:
        return canonical(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise ArgumentError(f"{name}={text} is not a URL: {error}") from None


def _choice(*choices: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text not in choices:
            raise ArgumentError(f"{name}={text} is not one of {', '.join(choices)}")
        return text

    return read


def _names(name: str, meaning: str, chinese: str, example: str) -> Parameter:
    schema = {"type": "array", "items": {"type": "string", "minLength": 1}}
    return Parameter(name, meaning, chinese, schema, lambda _, text: names(text), many=True, example=example)  # fmt: skip


def _flag(name: str, meaning: str, chinese: str) -> Parameter:
    return Parameter(name, meaning, chinese, {"type": "boolean"}, parse_switch, default=False)


_SINCE = {"type": "string", "pattern": f"^({_DAY}|\\d{{1,4}}d)$"}
FILTERS: tuple[Parameter, ...] = (
    Parameter("since", "Published on this day in China or later", "此日（北京时间）起发布", {"type": "string", "format": "date"}, _day, example="2017-08-12"),
    Parameter("until", "Published on this day in China or earlier", "此日（北京时间）及以前发布", {"type": "string", "format": "date"}, _day, example="2017-08-12"),
    _names("column", "Listed by one of these columns: id or Chinese name", "栏目：编号或名称，可给几个", "zjxw"),
    _names("host", "On one of these hosts: short (zjnews), full or Chinese name", "网站：简称、全名或中文名，可给几个", "zjnews"),
    _names("person", "By one of these reporters or editors", "记者或编辑，可给几个", "江帆"),
    _names("tag", "With one of these tags", "标签，可给几个", "生态文明"),
    _flag("edited", "Only articles that were edited after publication", "只要发布后改过的"),
    _flag("gone", "Only articles that were taken down", "只要已撤下的"),
    _flag("images", "Only articles with an image", "只要有图片的"),
    Parameter("changed_since", "Edited on this day in China or later, or so many days ago (7d); the last change comes first", "此日起改过，也可写 7d（七天前）；最近改的在前", _SINCE, _change_day, example="7d"),
    Parameter("gone_since", "Taken down likewise; with `changed_since`: either", "此日起撤下；与 changed_since 并用时符合其一即可", _SINCE, _change_day, example="7d"),
)  # fmt: skip
"""The filters of a Selection."""
WORDS = Parameter(
    "words", "What to search for: `西湖 荷花`, `\"iPhone 8\"`, `杭州 OR 宁波`, `-广告`, `title:西湖`, `by:江帆`. May be left out if there is a filter",
    "检索词，写法与检索页相同；有其他条件时可不写", {"type": "string", "minLength": 1},
    longest=2 * MOST_TERMS * MOST_CHARACTERS, example="西湖",
)  # fmt: skip
ORDER = Parameter(
    "order", "`newest`: headline matches first, then the newest. `relevance`: the best 1,000, best first",
    "newest：标题命中的在前，新的在前；relevance：最相关的一千篇，最相关的在前",
    {"type": "string", "enum": list(ORDERS)}, _choice(*ORDERS), default="newest",
)  # fmt: skip
BY = Parameter(
    "by", "The length of the spans", "按日、月或年计数", {"type": "string", "enum": list(SPANS)}, _choice(*SPANS), default="month"
)  # fmt: skip
URL = Parameter(
    "url", "Any URL of the article; `http://` may be left out", "文章的任一网址，http:// 可省略", {"type": "string", "minLength": 1},
    _url, required=True, longest=_LONGEST_URL, example="http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml",
)  # fmt: skip
PAGE: tuple[Parameter, ...] = (
    Parameter("limit", "The most entries of a page", "一页最多几条", {"type": "integer", "minimum": 1, "maximum": MOST}, _whole_number, default=LIMIT),
    Parameter("cursor", "`next` of the page before; the other parameters must stay the same", "上一页的 next；其他参数须不变", {"type": "string"}, longest=2 * LONGEST_KEY),
)  # fmt: skip


def read_parameters(query: QueryParams, known: Sequence[Parameter]) -> dict[str, Any]:
    """The checked values by name, with defaults for those that are absent. Raises Problem."""
    table = {each.name: each for each in known}
    for name in query:
        if name not in table:
            raise _unknown(name, table)
    values = {}
    for name, parameter in table.items():
        given = query.getlist(name)
        if given:
            values[name] = _value(parameter, given)
        elif parameter.required:
            raise _invalid(
                name, f"{name} is missing: {parameter.meaning[0].lower()}{parameter.meaning[1:]}"
            )
        else:
            values[name] = () if parameter.many else parameter.default
    return values


def selection_of(values: dict[str, Any]) -> Selection:
    """The Selection that the values of FILTERS describe, its names as given. Raises Problem."""
    since, until = values["since"], values["until"]
    if since and until and since > until:
        raise _invalid("since", f"since={since} is after until={until}")
    return Selection(
        since, until, values["column"], values["host"], values["person"], values["tag"],
        **{name: values[name] for name in ("edited", "gone", "images", "changed_since", "gone_since")},
    )  # fmt: skip


def _value(parameter: Parameter, given: list[str]) -> Any:
    name = parameter.name
    if len(given) > 1 and not parameter.many:
        raise _invalid(name, f"{name} occurs {len(given)} times: give it once")
    text = ",".join(given)
    if not text.strip(", \u3000，"):
        raise _invalid(name, f"{name} is empty: give a value, or leave the parameter out")
    if len(text) > parameter.longest:
        raise _invalid(name, f"{name} has {len(text)} characters, {parameter.longest} is the limit")
    if _CONTROL.search(text):
        raise _invalid(name, f"{name} has a control character")
    try:
        return parameter.read(name, text)
    except ArgumentError as error:
        raise _invalid(name, str(error)) from error


def _unknown(name: str, known: dict[str, Parameter]) -> Problem:
    shown = _CONTROL.sub("\ufffd", name[:_LONGEST])
    near = nearest(shown.lower(), known, 0.6)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(known) or 'none'}"
    return _invalid(shown, f"unknown parameter {shown}: {hint}", **({"near": near} if near else {}))


def _invalid(name: str, detail: str, **more: Any) -> Problem:
    return Problem("invalid-parameter", detail, parameter=name, **more)
