"""Renders Jinja templates to responses; everything is escaped except HTML that `body.py` sanitised."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache, lru_cache
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.responses import HTMLResponse

from zjolcrawl import __version__
from zjolcrawl.display.formatting import moment
from zjolcrawl.parsing.urls import is_web
from zjolcrawl.web import labels
from zjolcrawl.web.language import current, other
from zjolcrawl.web.texts import _, content

_P = ParamSpec("_P")
_T = TypeVar("_T")
# Two threads: they share the GIL with the event loop, and more would only slow it down.
_POOL = ThreadPoolExecutor(2, thread_name_prefix="rendering")
_HEADINGS = {
    400: "请求有误",
    401: "需要令牌",
    404: "没有找到",
    405: "不支持的操作",
    503: "数据库没有回答",
}


def page(template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """A response with a rendered template in the language of the request; `shown` are its variables."""
    headers = {"content-language": current().tag, "vary": "Accept-Language"}
    return HTMLResponse(_environment().get_template(template).render(shown), status, headers)


def part(template: str, **shown: Any) -> Markup:
    """A rendered template as safe markup, for callers that cache a part of a page."""
    return Markup(_environment().get_template(template).render(shown))  # noqa: S704


def refusal(status: int, reason: str) -> HTMLResponse:
    """An error page with status and reason, without internal details."""
    heading = _(_HEADINGS.get(status, "出错了"))
    return page("error.html", status, heading=heading, reason=reason, number=status)


def link(path: str, **fields: Any) -> str:
    """A path with a query string, and the language if it was chosen; empty values are left out."""
    return _link(path, **fields, lang=current().chosen)


@lru_cache(maxsize=1024)
def _link(path: str, **fields: Any) -> str:
    query = urlencode({name: value for name, value in fields.items() if value not in ("", None)})
    return f"{path}?{query}" if query else path


def picture(entry: Mapping[str, Any], *, readable: bool) -> str | None:
    """The path of an image on this server; None if it is not stored or the store is not readable here."""
    sha256 = entry.get("sha256")
    known = isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256)
    return f"/image/{sha256}" if known and readable and entry.get("status") == "stored" else None


async def in_thread(work: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> _T:
    """The result of `work`, called in a thread. It has no time limit, so its work must be bounded."""
    context = copy_context()  # has the language of the page
    return await asyncio.get_running_loop().run_in_executor(
        _POOL, lambda: context.run(work, *args, **options)
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("zjolcrawl.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {
        "_": _, "link": link, "picture": picture, "own_version": __version__, "language": current, "other": other,
    }  # fmt: skip
    environment.tests["web"] = is_web
    environment.filters |= {
        "moment": moment, "printed": labels.printed, "published": labels.published, "day": labels.day,
        "full_day": labels.full_day, "short_day": labels.short_day, "month_name": labels.month_name, "clock": lambda at: moment(at)[11:16],
        "lasted": labels.length, "column": labels.column_name, "image_state": labels.image_state,
        "captured_by": labels.captured_by, "doubt": labels.doubt, "content": content,
        "grouped": lambda number: f"{number:,}",
    }  # fmt: skip
    return environment
