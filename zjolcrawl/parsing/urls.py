"""URLs: absolute and canonical form; by the forms of the site, the kind of page, its ID and its day."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

from w3lib.url import safe_url_string

from zjolcrawl.parsing.fields.dates import plausible_day
from zjolcrawl.site.current import current_site
from zjolcrawl.site.description import DEFAULT_PORTS, ArticleForm, Site

_MEDIA_FILE = re.compile(r"\.(?:mp4|m3u8|flv|avi|mov|wmv)$", re.IGNORECASE)
_BREAKS = re.compile(r"[\t\r\n]")
_SLASHES = re.compile("/{2,}")
_EXTRA_SLASHES = re.compile("^(https?:)?/{3,}", re.IGNORECASE)  # http:////host/ is http://host/
# Dot segments and characters with other spellings (RFC 3986, 6.2.2). A URL without these is normal.
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_SPELLED = re.compile(r"[^\w.~!$&()*+,;=:@/?-]", re.ASCII)
_PERCENT = re.compile(r"%([\dA-Fa-f]{2})?")
_UNRESERVED = re.compile(r"[\w.~-]", re.ASCII)
_LONGEST_KNOWN = 500  # characters; results for longer URLs are not cached


def is_own_host(url: str) -> bool:
    """Whether the URL is http(s) on the site's domains or a subdomain, at the scheme's default port.

    Another port is another server. A user name is rejected because it can fake the host.
    """
    return bool(current_site().own.match(url))


def is_image_host(url: str) -> bool:
    """Whether the URL is http(s) on a host that serves the site's images: its own or an image host."""
    site = current_site()
    return bool(site.own.match(url) or site.images.match(url))


def is_web(url: object) -> bool:
    """Whether a stored URL is safe to link: only http and https are."""
    return isinstance(url, str) and url.lower().startswith(("http://", "https://"))


def absolute(base: str, href: str) -> str | None:
    """The absolute http(s) URL of an href as written on a page, or None if it has no target.

    Protocol-relative URLs, dot segments and doubled slashes are resolved; the fragment, a user name,
    the default port and a dot at the end of the host are dropped.
    """
    href = _BREAKS.sub("", href).strip().replace("\\", "/")
    if "///" in href:
        href = _EXTRA_SLASHES.sub(r"\1//", href)
    if not href or href.startswith("#"):
        return None
    return (
        _resolved(base, href) if len(base) + len(href) <= _LONGEST_KNOWN else _resolve(base, href)
    )


def _resolve(base: str, href: str) -> str | None:
    try:
        parts = urlsplit(href)
        if not parts.netloc or parts.scheme not in DEFAULT_PORTS:  # else it is already absolute
            parts = urlsplit(urljoin(base, href))
        host = (parts.hostname or "").lower()
        port = parts.port
    except ValueError:
        return None
    host = host.removesuffix(".")
    if parts.scheme not in DEFAULT_PORTS or not host:
        return None
    if port and port != DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    path = _SLASHES.sub("/", parts.path) or "/"
    path = _without_dots(path) if _DOTS.search(path) else path
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{path}{query}"


def _without_dots(path: str) -> str:
    """The path without dot segments (RFC 3986, 5.2.4); `%2e` counts as a dot, as in the URL standard."""
    kept: list[str] = []
    segment = ""
    for part in path.split("/")[1:]:
        segment = part.lower().replace("%2e", ".")
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(part)
    return "/" + "/".join([*kept, ""] if segment in {".", ".."} else kept)


# Cached because a page repeats the same URLs in its menus, and its lists are read twice.
_resolved = lru_cache(maxsize=1024)(_resolve)


def normalized(url: str) -> str:
    """The normal form of an absolute URL: equivalent spellings give the same result (RFC 3986, 6.2.2).

    Characters are percent-encoded only where needed, in capitals; an international host name is in
    ASCII. A `%` that does not begin a code is encoded. An invalid URL is returned unchanged.
    """
    if not _SPELLED.search(url):
        return url
    try:
        url = safe_url_string(url)
    except ValueError:  # a lone surrogate, a broken host name
        return url
    return _PERCENT.sub(_respelled, url)


def _respelled(code: re.Match[str]) -> str:
    if not code[1]:
        return "%25"
    char = chr(int(code[1], 16))
    return char if _UNRESERVED.match(char) else code[0].upper()


def canonical(url: str) -> str:
    """The canonical URL: the `_id` of an article or frontier row.

    It has the http scheme (https stays at a non-default port), a lower-case host, no fragment and
    normal percent-encoding; article forms also lose query, `_ext` and page suffix. Other URLs keep
    their query: for app pages it can be the only difference.
    """
    site = current_site()
    return _known_canonical(url, site) if len(url) <= _LONGEST_KNOWN else _canonical(url, site)


def _canonical(url: str, site: Site) -> str:
    url = normalized(absolute(url, url) or url)
    url = re.sub(r"^https:(?!//[^/]*:)", "http:", url)  # another port is another server
    if ident := _mobile_id(url, site):
        return f"{url.partition('?')[0]}?{site.mobile.parameter}={ident}"
    bare = url.partition("?")[0]
    form = _article_form(bare, site)
    return form[1]["stem"] + form[1]["ext"] if form else url


# Cached because each step from link to document asks for the same URL; a list or two fit.
_known_canonical = lru_cache(maxsize=1024)(_canonical)


def kind(url: str) -> str:
    """The kind of page at an absolute URL: article, mobile, paper, video, app, topic or offsite.

    `paper` is an article of a digital paper. `topic` is every page of the site without an article's
    URL: topics (专题), column fronts, pages of a paper's issue.
    """
    site = current_site()
    return _known_kind(url, site) if len(url) <= _LONGEST_KNOWN else _kind(url, site)


def _kind(url: str, site: Site) -> str:
    url = normalized(url)
    parts = urlsplit(url)
    host, path = (parts.hostname or "").lower(), parts.path
    if host in site.app.hosts:
        return "video" if site.app.video_path.search(path) else "app"
    if not site.own.match(url):
        return "offsite"
    if host in site.video.hosts or _MEDIA_FILE.search(path):
        return "video"
    if form := _article_form(path, site):
        return form[0].kind
    return "mobile" if _mobile_id(url, site) else "topic"


_known_kind = lru_cache(maxsize=1024)(_kind)


@lru_cache(maxsize=1024)
def host_of(url: str) -> str:
    """The host of a URL; empty if it has none or is malformed."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # an unbalanced IPv6 bracket
        return ""


def is_front(url: str) -> bool:
    """Whether an absolute URL is the front page of the site, of a host or of a column."""
    return kind(url) == "topic" and bool(re.search(r"/(?:index\.s?html?)?$", urlsplit(url).path))


def doc_id(url: str) -> str | None:
    """The CMS's ID in an article's URL, digits as written, or None."""
    site = current_site()
    form = _article_form(urlsplit(url).path, site)
    return form[1]["id"] if form else _mobile_id(url, site)


def url_day(url: str) -> date | None:
    """The day in an article's URL, or None. It is near the publication date, not always equal to it."""
    form = _article_form(urlsplit(url).path, current_site())
    part = form[1].groupdict() if form else {}
    if "y" in part:
        return plausible_day(part["y"], part["m"], part["d"])
    digits = part.get("day")
    return plausible_day(digits[:4], digits[4:6], digits[6:8]) if digits else None


def page_number(url: str) -> int:
    """The page number of a multi-page article's URL; the first page is 0."""
    form = _article_form(urlsplit(url).path, current_site())
    return int(form[1].groupdict().get("page") or 0) if form else 0


def is_paper_page(url: str) -> bool:
    """Whether the URL is a page of a digital paper's issue (the URL contains the issue's day)."""
    return bool(current_site().paper_page.path.match(urlsplit(url).path))


def _mobile_id(url: str, site: Site) -> str | None:
    parts = urlsplit(url)
    found = site.mobile.query.search(parts.query) if site.mobile.path.search(parts.path) else None
    return found[1] if found else None


_Form = tuple[ArticleForm, re.Match[str]]


def _article_form(path: str, site: Site) -> _Form | None:
    return _known_form(path, site) if len(path) <= _LONGEST_KNOWN else _form(path, site)


def _form(path: str, site: Site) -> _Form | None:
    for form in site.article:
        if found := form.path.match(path):
            return form, found
    return None


_known_form = lru_cache(maxsize=256)(_form)
