"""The site's URLs: canonical form, the kind of page a URL leads to, and the ID and day in it.

The letters A to D and M name the URL families of docs/site.md; each was seen in real URLs.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

from w3lib.url import safe_url_string

from zjolcrawl.parsing.fields.dates import plausible_day

# B  /<column>/YYYYMM/tYYYYMMDD_ID[_ext][_page].shtml                                       [REAL]
_TRS = re.compile(
    r"^(?P<stem>.*/\d{6}/t(?P<day>\d{8})_(?P<id>\d{4,9}))(?:_ext)?(?:_(?P<page>\d{1,3}))?(?P<ext>\.s?html?)$"
)
# A  /system/YYYY/MM/DD/NNNNNNNNN[_NN].shtml                                                [REAL]
_LEGACY = re.compile(
    r"^(?P<stem>.*/system/(?P<y>\d{4})/(?P<m>\d\d)/(?P<d>\d\d)/(?P<id>\d{9}))(?:_(?P<page>\d\d))?(?P<ext>\.s?html?)$"
)
# C  digital papers: /html/YYYY-MM/DD/content_N.htm; a page of an issue is node_N.htm or zjrbindex.htm [SEL]
_ISSUE = r".*/html/(?P<y>\d{4})-(?P<m>\d\d)/(?P<d>\d\d)/"
# Articles of 2008 have the page number and the position on it: content_12_2.htm              [TEXT]
_PAPER = re.compile(rf"^(?P<stem>{_ISSUE}content_(?P<id>\d+(?:_\d+)?))(?P<ext>\.html?)$")
# C of 2005-2008 on fzb.zjol.com.cn: /gb/node2/node802/…/userobject15ai5288824.html, without a day [TEXT]
_OLD_PAPER = re.compile(
    r"^(?P<stem>.*/gb/(?:node\d+/)+userobject\d+ai(?P<id>\d+))(?P<ext>\.html?)$"
)
_PAPER_PAGE = re.compile(rf"^{_ISSUE}(?:node_\d+|[a-z]*index)\.html?$")
# The day (year, month, day) in A, B and C, for database queries, which cannot call `url_day`.
DAY_IN_URL = r"/(?:t|system/|html/)(\d{4})[/-]?(\d\d)/?(\d\d)[_/]"
# D  app share pages: their IDs are re-used for other articles, so they are never rewritten [SEL]
_APP_HOSTS = {"zj.zjol.com.cn", "tidenews.com.cn", "www.tidenews.com.cn", "m.tidenews.com.cn"}
_APP_VIDEO = re.compile(r"/(?:video|live)\.html$")
# M  mobile pages of legacy articles, with the same nine digits                             [REAL]
_MOBILE = re.compile(r"/(?:mzjol|msite)/details\w*\.html$")
_NEWSID = re.compile(r"(?:^|&)newsid=(\d{9})(?:&|$)")
_VIDEO_HOSTS = {"v.zjol.com.cn", "v-cdn.zjol.com.cn", "cdn.v.zjol.com.cn"}
_MEDIA_FILE = re.compile(r"\.(?:mp4|m3u8|flv|avi|mov|wmv)$", re.IGNORECASE)
_BREAKS = re.compile(r"[\t\r\n]")
_SLASHES = re.compile("/{2,}")
_EXTRA_SLASHES = re.compile("^(https?:)?/{3,}", re.IGNORECASE)  # http:////host/ is http://host/
# Dot segments and characters with other spellings (RFC 3986, 6.2.2). A URL without these is normal.
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_SPELLED = re.compile(r"[^\w.~!$&()*+,;=:@/?-]", re.ASCII)
_PERCENT = re.compile(r"%([\dA-Fa-f]{2})?")
_UNRESERVED = re.compile(r"[\w.~-]", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_LONGEST_KNOWN = 500  # characters; results for longer URLs are not cached


def _at(host: str) -> re.Pattern[str]:
    """A pattern for the start of an http(s) URL at a host (also a pattern) and the default port."""
    plain, secure = (rf"{scheme}://{host}\.?(?::(?:{port})?)?" for scheme, port in _PORTS.items())
    return re.compile(rf"(?:{plain}|{secure})(?:[/?#]|\Z)", re.ASCII | re.IGNORECASE)


_LABEL = r"[a-z\d_-]+\."
_OWN = _at(rf"(?:{_LABEL})*zjol\.com\.cn")
_IMAGES = _at(rf"(?:{_LABEL})+zjolcdn\.com")  # [REAL] img.zjolcdn.com, img2.zjolcdn.com


def is_own_host(url: str) -> bool:
    """Whether the URL is http(s) on zjol.com.cn or a subdomain, at the scheme's default port.

    Another port is another server. A user name is rejected because it can fake the host.
    """
    return bool(_OWN.match(url))


def is_image_host(url: str) -> bool:
    """Whether the URL is http(s) on a host that serves the site's images (zjol.com.cn, zjolcdn.com)."""
    return bool(_OWN.match(url) or _IMAGES.match(url))


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
        if not parts.netloc or parts.scheme not in _PORTS:  # else it is already absolute
            parts = urlsplit(urljoin(base, href))
        host = (parts.hostname or "").lower()
        port = parts.port
    except ValueError:
        return None
    host = host.removesuffix(".")
    if parts.scheme not in _PORTS or not host:
        return None
    if port and port != _PORTS[parts.scheme]:
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
    return _known_canonical(url) if len(url) <= _LONGEST_KNOWN else _canonical(url)


def _canonical(url: str) -> str:
    url = normalized(absolute(url, url) or url)
    url = re.sub(r"^https:(?!//[^/]*:)", "http:", url)  # another port is another server
    if newsid := _mobile_id(url):
        return f"{url.partition('?')[0]}?newsid={newsid}"
    bare = url.partition("?")[0]
    form = _article_form(bare)
    return form["stem"] + form["ext"] if form else url


# Cached because each step from link to document asks for the same URL; a list or two fit.
_known_canonical = lru_cache(maxsize=1024)(_canonical)


def kind(url: str) -> str:
    """The kind of page at an absolute URL: article, mobile, paper, video, app, topic or offsite.

    `paper` is an article of a digital paper. `topic` is every page of the site without an article's
    URL: topics (专题), column fronts, pages of a paper's issue.
    """
    return _known_kind(url) if len(url) <= _LONGEST_KNOWN else _kind(url)


def _kind(url: str) -> str:
    url = normalized(url)
    parts = urlsplit(url)
    host, path = (parts.hostname or "").lower(), parts.path
    if host in _APP_HOSTS:
        return "video" if _APP_VIDEO.search(path) else "app"
    if not is_own_host(url):
        return "offsite"
    if host in _VIDEO_HOSTS or _MEDIA_FILE.search(path):
        return "video"
    if _PAPER.match(path) or _OLD_PAPER.match(path):
        return "paper"
    if _article_form(path):
        return "article"
    return "mobile" if _mobile_id(url) else "topic"


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
    form = _article_form(urlsplit(url).path)
    return form["id"] if form else _mobile_id(url)


def url_day(url: str) -> date | None:
    """The day in an article's URL, or None. It is near the publication date, not always equal to it."""
    form = _article_form(urlsplit(url).path)
    if not form or form.re is _OLD_PAPER:
        return None
    digits = form["day"] if "day" in form.groupdict() else form["y"] + form["m"] + form["d"]
    return plausible_day(digits[:4], digits[4:6], digits[6:8])


def page_number(url: str) -> int:
    """The page number of a multi-page article's URL; the first page is 0."""
    form = _article_form(urlsplit(url).path)
    return int(form.groupdict().get("page") or 0) if form else 0


def is_paper_page(url: str) -> bool:
    """Whether the URL is a page of a digital paper's issue (the URL contains the issue's day)."""
    return bool(_PAPER_PAGE.match(urlsplit(url).path))


def _mobile_id(url: str) -> str | None:
    parts = urlsplit(url)
    newsid = _NEWSID.search(parts.query) if _MOBILE.search(parts.path) else None
    return newsid[1] if newsid else None


def _article_form(path: str) -> re.Match[str] | None:
    return _known_form(path) if len(path) <= _LONGEST_KNOWN else _form(path)


def _form(path: str) -> re.Match[str] | None:
    return _TRS.match(path) or _LEGACY.match(path) or _PAPER.match(path) or _OLD_PAPER.match(path)


_known_form = lru_cache(maxsize=256)(_form)
