"""Templates to answers. Everything that a template writes is escaped but what `body.py` has cleaned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.responses import HTMLResponse

from zjolcrawl import __version__
from zjolcrawl.display.words import moment, people, printed, published, size
from zjolcrawl.web import labels

_HEADINGS = {400: "请求有误", 404: "没有找到", 405: "不支持的操作", 503: "数据库没有回答"}


def page(template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """A page of a template."""
    return HTMLResponse(_environment().get_template(template).render(shown), status)


def part(template: str, **shown: Any) -> Markup:
    """A part of a page that a template has escaped, for who keeps it."""
    return Markup(_environment().get_template(template).render(shown))  # noqa: S704


def refusal(status: int, reason: str) -> HTMLResponse:
    """The page of an error, with its reason and nothing of what happened inside."""
    heading = _HEADINGS.get(status, "出错了")
    return page("error.html", status, heading=heading, reason=reason, number=status)


@lru_cache(maxsize=1024)
def link(path: str, **asked: Any) -> str:
    """A path with its query; what is empty is left out."""
    query = urlencode({name: value for name, value in asked.items() if value not in ("", None)})
    return f"{path}?{query}" if query else path


def picture(entry: Mapping[str, Any], *, readable: bool) -> str | None:
    """Where the page has an image's bytes; None of one that is not stored, or not to be read here."""
    sha256 = entry.get("sha256")
    known = isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256)
    return f"/image/{sha256}" if known and readable and entry.get("status") == "stored" else None


def is_web(url: object) -> bool:
    """Whether a stored address may be a link's: http or https, whatever a page once claimed."""
    return isinstance(url, str) and url.lower().startswith(("http://", "https://"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("zjolcrawl.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"link": link, "picture": picture, "own_version": __version__}
    environment.tests["web"] = is_web
    environment.filters |= {
        "moment": moment, "people": people, "printed": printed, "published": published,
        "size": size, "day": labels.day, "lasted": labels.length,
        "column": labels.column_name, "image_state": labels.IMAGE_STATES.get,
        "grouped": lambda number: f"{number:,}",
    }  # fmt: skip
    return environment
