"""Pages that only send the browser on: where to, by a refresh or a script that runs on loading."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zjolcrawl.parsing.page import Page
from zjolcrawl.parsing.templates.table import Path, Values
from zjolcrawl.parsing.urls import absolute, canonical

_SENDS = re.compile(
    r"location(?:\.href)?\s{0,9}(?:=|\.replace\s{0,9}\(|\.assign\s{0,9}\()\s{0,9}[\"']([^\"'\n]{1,2000})[\"']"
)  # SEL
_REFRESH = Values(
    "//meta[translate(@http-equiv, 'REFSH', 'refsh') = 'refresh'][not(ancestor::noscript)]/@content"
)
_REFRESH_URL = re.compile(
    r"^\s{0,9}(\d{0,6})[^;,]{0,9}[;,]?\s{0,9}url\s{0,9}=\s{0,9}['\"]?([^'\"\s]+)", re.IGNORECASE
)
_LONGEST_WAIT = 30  # seconds: a page that is left after more is to be read
_ON_LOADING = Path("//body[@onload]")
_COMMENT = re.compile(
    r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z)|(?:(?<=[\s;{}(),])|^)//[^\n]*|^\s{0,99}<!--[^\n]*",
    re.MULTILINE,
)
# What makes the browser go on only sometimes, or only when a reader clicks.
_CONDITION = re.compile(
    r"\bif\b|\bswitch\b|\bcase\b|userAgent|matchMedia|\?|&&|\|\||function\s{1,9}\w|\bon(?:click|change|submit)\b|addEventListener"
)


def stub_target(page: Page, *, always: bool = False) -> str | None:
    """The absolute URL that a page sends the browser on to, or None.

    `always`: only where every browser is sent on, for a page that has something to read too. A page
    that sends the browser to itself is a loop, unless it sets a cookie before: a challenge.
    """
    targets = [url for sure, url in _targets(page) if sure]
    targets += [] if always else [url for sure, url in _targets(page) if not sure]
    own = canonical(page.url)
    if other := next((url for url in targets if canonical(url) != own), None):
        return other
    return next(iter(targets), None) if not always and "cookie" not in page.text else None


def _targets(page: Page) -> Iterator[tuple[bool, str]]:
    """Each address that the page names for going on, and whether every browser goes there."""
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
    """Whether what stands before a statement decides if it runs: its own line, or a block around it."""
    depth = 0
    for at in range(len(before) - 1, max(-1, len(before) - 20_000), -1):
        sign = before[at]
        depth += (sign == "}") - (sign == "{")
        if depth < 0:  # a block around the statement: what opens it
            head = re.split(r"[;{}]", before[max(0, at - 300) : at])[-1]
            if _CONDITION.search(head):
                return True
            depth = 0
    return bool(_CONDITION.search(re.split(r"[;{}\n]", before[-300:])[-1]))
