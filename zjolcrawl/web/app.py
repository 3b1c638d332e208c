"""The ASGI application of `scrapy browse`: routes, static files, error pages and time limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from zjolcrawl.archive.archive import ArchiveError
from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.storage.connection import deadline
from zjolcrawl.storage.errors import StoreUnavailable
from zjolcrawl.web.access import OPEN, Access, TokenMiddleware
from zjolcrawl.web.api.app import api_application
from zjolcrawl.web.language import LanguageMiddleware
from zjolcrawl.web.rendering import refusal
from zjolcrawl.web.security import SecurityMiddleware
from zjolcrawl.web.site import Site
from zjolcrawl.web.texts import _
from zjolcrawl.web.views import (
    article,
    calendar,
    cdx,
    changes,
    cite,
    columns,
    feeds,
    health,
    history,
    image,
    record,
    replay,
    search,
)

SECONDS = 10
"""Time limit for all database queries of one page, in seconds."""
AT_ONCE = 4
"""Pages built at the same time; other requests wait, and their time limit starts after the wait."""

View = Callable[[Request], Awaitable[Response]]
_VIEWS: dict[str, View] = {
    "/": search.show, "/article": article.show, "/history": history.show, "/record": record.show,
    "/columns": columns.show, "/calendar": calendar.show, "/changes": changes.show, "/health": health.show,
    "/image/{sha256}": image.show,
    "/cite": cite.show, "/download": cite.download, "/cdx": cdx.show, "/web/cdx": cdx.show, "/web/{target:path}": replay.show,
    "/feeds": feeds.index, "/feeds/{path:path}": feeds.show,
}  # fmt: skip
_UNREADABLE = "归档中有一处读不出来；命令行的 scrapy health 或 scrapy article 会说明是哪里。"
_FILES = {"style.css": "text/css", "icon.svg": "image/svg+xml"}


def application(site: Site, host: str = "127.0.0.1", access: Access = OPEN) -> ASGIApp:
    """The application for one archive, to be served on the address `host`: the pages, and the API."""
    turns = asyncio.Semaphore(AT_ONCE)
    routes = [Route(path, _bounded(view, turns)) for path, view in _VIEWS.items()]
    routes += [Route(f"/static/{name}", _static) for name in _FILES]
    app = Starlette(
        routes=routes,
        exception_handlers={
            HTTPException: _http_error,
            StoreUnavailable: _failure(503, "数据库没有及时回答。可以缩小检索范围，或稍后再试。"),
            ArgumentError: _failure(500, _UNREADABLE),
            ArchiveError: _failure(500, _UNREADABLE),
            Exception: _failure(500, "页面出错了；详情在运行 scrapy browse 的终端里。"),
        },
    )
    app.state.site = site
    guarded = TokenMiddleware(app, access.token, refusal)
    pages = SecurityMiddleware(guarded, host, refusal, access.names)
    api = api_application(site, host, access, turns)

    async def chosen(scope: Scope, receive: Receive, send: Send) -> None:
        is_api = f"{scope.get('path')}/".startswith("/api/")
        await (api if is_api else pages)(scope, receive, send)

    return LanguageMiddleware(chosen)


def _bounded(view: View, turns: asyncio.Semaphore) -> View:
    async def answer(request: Request) -> Response:
        async with turns:
            with deadline(SECONDS):
                return await view(request)

    return answer


async def _static(request: Request) -> Response:
    name = request.url.path.rpartition("/")[2]
    content = (files("zjolcrawl.web") / "static" / name).read_bytes()
    headers = {"cache-control": "max-age=300"}
    return Response(content, media_type=_FILES[name], headers=headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    unknown = (error.status_code, error.detail) == (404, "Not Found")
    return refusal(error.status_code, _("没有这一页。") if unknown else error.detail)


def _failure(status: int, reason: str) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        return refusal(status, _(reason))

    return answer
