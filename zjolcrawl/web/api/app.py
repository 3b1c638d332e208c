"""The ASGI application of the API: routes, checks, error answers, CORS."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from zjolcrawl.archive.archive import ArchiveError
from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.messages import nearest
from zjolcrawl.storage.connection import deadline
from zjolcrawl.storage.errors import StoreUnavailable
from zjolcrawl.web.access import Access, TokenMiddleware
from zjolcrawl.web.api import openapi
from zjolcrawl.web.api.answers import answer
from zjolcrawl.web.api.operations import OPERATIONS, ROOT, Operation
from zjolcrawl.web.api.page import page
from zjolcrawl.web.api.parameters import read_parameters
from zjolcrawl.web.api.problems import TYPES, Problem, problem_response
from zjolcrawl.web.api.views import ApiRequest
from zjolcrawl.web.rendering import in_thread
from zjolcrawl.web.security import READING, SecurityMiddleware
from zjolcrawl.web.site import Site

SECONDS = 10
"""Time limit for all database queries of one answer, in seconds."""
_LONGEST_LINK = 8000  # characters of a URL in a header; the body has the cursor in any case
_KINDS = {
    400: "invalid-parameter",
    401: "unauthorized",
    404: "not-found",
    405: "method-not-allowed",
}


def api_application(site: Site, host: str, access: Access, turns: asyncio.Semaphore) -> ASGIApp:
    """The application for one archive; `turns` limits the answers that are built at the same time."""
    routes = [Route(each.path, _endpoint(each, site, turns)) for each in OPERATIONS]
    routes += [Route(f"{ROOT}/openapi.json", _description), Route(f"{ROOT}/", _page)]
    app: ASGIApp = Starlette(
        routes=routes,
        exception_handlers={
            Problem: _problem,
            HTTPException: _http_error,
            StoreUnavailable: _failure("unavailable"),
            ArgumentError: _failure("internal"),
            ArchiveError: _failure("internal"),
            Exception: _failure("internal"),
        },
    )
    app = TokenMiddleware(app, access.token, _refusal)
    methods = READING
    if access.origins:
        # A preflight request asks with OPTIONS, and without the token.
        methods |= {"OPTIONS"}
        app = CORSMiddleware(
            app, allow_origins=access.origins, allow_methods=sorted(READING),
            allow_headers=["Authorization", "If-None-Match"], expose_headers=["ETag", "Link"],
        )  # fmt: skip
    return SecurityMiddleware(app, host, _refusal, access.names, methods)


def _endpoint(
    operation: Operation, site: Site, turns: asyncio.Semaphore
) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        query = request.query_params
        values = read_parameters(query, operation.parameters)
        async with turns:
            with deadline(SECONDS):
                body, following = await operation.view(ApiRequest(site, query, values))
        headers = {}
        if following:
            pairs = [pair for pair in query.multi_items() if pair[0] != "cursor"]
            target = f"{operation.path}?{urlencode([*pairs, ('cursor', following)])}"
            if len(target) <= _LONGEST_LINK:
                headers["link"] = f'<{target}>; rel="next"'
        return answer(request, body, **headers)

    return respond


async def _description(request: Request) -> Response:
    read_parameters(request.query_params, ())
    return answer(request, openapi.document())


async def _page(request: Request) -> Response:
    return answer(request, await in_thread(page), "text/html")


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error.kind, error.detail, **error.members)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code != 404:
        refusal = _refusal(error.status_code)
        refusal.headers.update(error.headers or {})
        return refusal
    path = request.url.path[:200]
    near = nearest(path.lower(), [each.path for each in OPERATIONS], 0.6)
    hint = f"did you mean {near}?" if near else f"{ROOT}/ lists the paths"
    return problem_response(
        "not-found", f"no path {path}: {hint}", **({"near": near} if near else {})
    )


def _refusal(status: int, _: str = "") -> Response:
    """The answer to a request that is refused before it is read."""
    return problem_response("wrong-host" if status == 400 else _KINDS.get(status, "internal"))


def _failure(kind: str) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def respond(_: Request, error: Exception) -> Response:
        response = problem_response(kind)
        if TYPES[kind].status == 503:
            response.headers["retry-after"] = "10"
        return response

    return respond
