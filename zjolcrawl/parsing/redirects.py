"""Finds the target of a page that redirects the browser by meta refresh or by a script on load."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zjolcrawl.parsing.page import Page
from zjolcrawl.parsing.urls import absolute, canonical
from zjolcrawl.parsing.xpath import Path, Values

_SENDS = re.compile(
    r"location(?:\.href)?\s{0,9}(?:=|\.replace\s{0,9}\(|\.assign\s{0,9}\()\s{0,9}[\"']([^\"'\n]{1,2000})[\"']"
)  # SEL
_REFRESH = Values(
    "//meta[translate(@http-equiv, 'REFSH', 'refsh') = 'refresh'][not(ancestor::noscript)]/@content"
)
_REFRESH_URL = re.compile(
    r"^\s{0,9}(\d{0,6})[^;,]{0,9}[;,]?\s{0,9}url\s{0,9}=\s{0,9}['\"]?([^'\"\s]+)", re.IGNORECASE
)
_LONGEST_WAIT = 30  # seconds; a page with a longer delay is meant to be read
_ON_LOADING = Path("//body[@onload]")
_COMMENT = re.compile(
    r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z)|(?:(?<=[\s;{}(),])|^)//[^\n]*|^\s{0,99}<!--[^\n]*",
    re.MULTILINE,
)
# Code that makes a redirect conditional, or runs it only on a click.
_CONDITION = re.compile(
    r"\bif\b|\bswitch\b|\bcase\b|userAgent|matchMedia|\?|&&|\|\||function\s{1,9}\w|\bon(?:click|change|submit)\b|addEventListener"
)


def stub_target(page: Page, *, always: bool = False) -> str | None:
    """The absolute URL that a page redirects the browser to, or None.

    `always`: return only an unconditional redirect to another page; use it for a page that also has
    text. A redirect to the page itself is a loop and is returned too, unless the page mentions a
    cookie: then it is a challenge, and the result is None.
    """
    targets = [url for sure, url in _targets(page) if sure]
    targets += [] if always else [url for sure, url in _targets(page) if not sure]
    own = canonical(page.url)
    if other := next((url for url in targets if canonical(url) != own), None):
        return other
    return next(iter(targets), None) if not always and "cookie" not in page.text else None


def _targets(page: Page) -> Iterator[tuple[bool, str]]:
    """Each redirect target as (unconditional, absolute URL)."""
    for content in _REFRESH(page.root):
        mark = _REFRESH_URL.match(content)
        if mark and int(mark[1] or 0) <= _LONGEST_WAIT and (url := absolute(page.base, mark[2])):
            yield True, url
    scripts = [script.text or "" for script in page.root.iter("script")]
    scripts += [body.get("onload", "") for body in _ON_LOADING(page.root)]
    for script in scripts:
        if "location" not in script:
            continue
        code = _COMMENT.sub("", script)
        for mark in _SENDS.finditer(code):
            if url := absolute(page.base, mark[1]):
                yield not _is_conditional(code[: mark.start()]), url


def _is_conditional(before: str) -> bool:
    """Whether a condition in the code before a statement, in its line or a block around it, controls it."""
    depth = 0
    for at in range(len(before) - 1, max(-1, len(before) - 20_000), -1):
        sign = before[at]
        depth += (sign == "}") - (sign == "{")
        if depth < 0:  # a block around the statement: check its opening
            head = re.split(r"[;{}]", before[max(0, at - 300) : at])[-1]
            if _CONDITION.search(head):
                return True
            depth = 0
    return bool(_CONDITION.search(re.split(r"[;{}\n]", before[-300:])[-1]))
