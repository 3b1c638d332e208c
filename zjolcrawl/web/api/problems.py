"""Errors of the API as problem details (RFC 9457)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from zjolcrawl.site.names import UnknownName

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of error: HTTP status, title, and when it occurs, in English and Chinese."""

    status: int
    title: str
    meaning: str
    chinese: str


TYPES: dict[str, ProblemType] = {
    "invalid-parameter": ProblemType(
        400, "Invalid parameter",
        "A parameter is unknown, missing or has a wrong value. `parameter` names it, `near` the nearest known one.",
        "参数不存在、缺少或取值有误。parameter 是参数名，near 是最接近的已知参数。",
    ),
    "unknown-name": ProblemType(
        400, "Unknown name",
        "A column, host, person or tag does not exist, or its name has several `meanings`. `near` is the nearest known name.",
        "栏目、网站、人名或标签不存在，或者名称有歧义（meanings）。near 是最接近的已知名称。",
    ),
    "wrong-host": ProblemType(
        400, "Wrong host", "The Host header is not the address of this server.", "请求中的主机名不是本机的地址。"
    ),
    "unauthorized": ProblemType(
        401, "Token required", "The server has an API_TOKEN: send it as `Authorization: Bearer TOKEN`, or as the password of HTTP Basic.",
        "服务器设有令牌：请用 Authorization: Bearer 令牌，或作为 HTTP Basic 的密码发送。",
    ),
    "not-found": ProblemType(
        404, "Not found", "The article or the path does not exist.", "没有这篇文章，或者没有这个路径。"
    ),
    "method-not-allowed": ProblemType(
        405, "Method not allowed", "Only GET and HEAD are allowed.", "只接受 GET 和 HEAD 请求。"
    ),
    "internal": ProblemType(
        500, "Internal error", "The cause is on the terminal of `scrapy browse`.",
        "服务器出错；详情在运行 scrapy browse 的终端里。",
    ),
    "unavailable": ProblemType(
        503, "Database unavailable", "MongoDB or the index did not answer in time; ask for less, or later.",
        "数据库没有及时回答。可以缩小范围，或稍后再试。",
    ),
}  # fmt: skip
"""By the last part of their `type`, which is an anchor of the page /api/v1/."""


class Problem(Exception):
    """An error that is sent to the client; `detail` is one line, `members` are further members of the object."""

    def __init__(self, kind: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.members = kind, detail, members


def problem_response(kind: str, detail: str = "", **members: Any) -> Response:
    """The response for an error."""
    type_ = TYPES[kind]
    values = {
        "type": f"/api/v1/#{kind}", "title": type_.title, "status": type_.status,
        "detail": detail or type_.meaning, **members,
    }  # fmt: skip
    # Without ASCII escapes a lone surrogate would not be UTF-8.
    return Response(json.dumps(values).encode(), type_.status, media_type=MEDIA_TYPE)


def of_unknown_name(error: UnknownName) -> Problem:
    """The Problem of a name that is unknown or ambiguous."""
    more: dict[str, Any] = {"parameter": error.kind, "name": error.name}
    more |= {"near": error.near} if error.near else {}
    more |= {"meanings": list(error.meanings)} if error.meanings else {}
    return Problem("unknown-name", str(error), **more)
