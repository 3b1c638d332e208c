"""The language of a page: Chinese or English, as `lang=` says or else Accept-Language.

`lang=` is in the query string and in every link and form of a page that was asked for with it. So a choice needs no
cookie, a page's URL says what it shows, and caches and bookmarks keep it.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

CHINESE, ENGLISH = "zh-CN", "en"
LANGUAGES = {"zh": CHINESE, "en": ENGLISH}
"""The values of `lang=`, with the tags that pages have (BCP 47)."""
_NAMES = {"zh": "中文", "en": "English"}
_MOST_HEADER = 1000  # characters of Accept-Language
_MOST_QUERY = 8000  # characters of a query string that the switch carries along
_WEIGHT = re.compile(r"q=([01](?:\.\d{0,3})?)")


@dataclass(frozen=True, slots=True)
class Language:
    """The language of one page: its `tag`, and `chosen`, the value of `lang=` (empty if it was negotiated).

    `path` and `query` are those of the request.
    """

    tag: str = CHINESE
    chosen: str = ""
    path: str = "/"
    query: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """A link to the same page in the other language: its name and tag, and the URL."""

    name: str
    tag: str
    href: str


_CURRENT: ContextVar[Language] = ContextVar("language")


def current() -> Language:
    """The language of the page that is being made; Chinese outside a request."""
    return _CURRENT.get(Language())


def other() -> Other | None:
    """The link to the page of this request in the other language; None where `lang=` would be part of an archived URL."""
    here = current()
    if here.path.startswith("/web/"):
        return None
    code = next(code for code, tag in LANGUAGES.items() if tag != here.tag)
    kept = here.query if len(here.query) <= _MOST_QUERY else ""
    fields = [(k, v) for k, v in parse_qsl(kept, keep_blank_values=True) if k != "lang"]
    # A path that begins with two slashes would name another host.
    path = "/" + quote(here.path.lstrip("/\\"))
    return Other(_NAMES[code], LANGUAGES[code], f"{path}?{urlencode([*fields, ('lang', code)])}")


def negotiated(header: str) -> str:
    """The tag of the language that an Accept-Language header prefers (RFC 9110, 12.5.4).

    Chinese without a header; English for somebody who reads neither.
    """
    worth: dict[str, tuple[float, int]] = {}
    spaceless = "".join(header[:_MOST_HEADER].lower().split())
    for place, part in enumerate(spaceless.split(",")):
        name, _, weight = part.partition(";")
        found = _WEIGHT.fullmatch(weight)
        value = float(found[1]) if found else 0.0 if weight else 1.0
        primary = name.partition("-")[0]
        if primary.isalpha() or primary == "*":
            worth[primary] = max(worth.get(primary, (0.0, 0)), (value, -place))
    chinese, english = (worth.get(code, worth.get("*", (0.0, 0))) for code in LANGUAGES)
    if not chinese[0] and not english[0]:
        return ENGLISH if any(value for value, _ in worth.values()) else CHINESE
    return ENGLISH if english > chinese else CHINESE


class LanguageMiddleware:
    """Sets the language of each request, which `current` returns."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        language = _of(scope) if scope["type"] == "http" else Language()
        token = _CURRENT.set(language)
        try:
            await self._app(scope, receive, send)
        finally:
            _CURRENT.reset(token)


def _of(scope: Scope) -> Language:
    query = scope["query_string"].decode("latin-1")
    given = [value for name, value in parse_qsl(query[:_MOST_QUERY]) if name == "lang"]
    chosen = given[-1] if given and given[-1] in LANGUAGES else ""
    tag = LANGUAGES.get(chosen) or negotiated(Headers(scope=scope).get("accept-language", ""))
    return Language(tag, chosen, scope["path"], query)
