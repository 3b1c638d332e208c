"""The site's URLs: canonical form, what kind of page one leads to, and what it tells.

The forms are those of docs/site.md (each seen in real URLs); M is recorded as what it
is.
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
# Articles of 2008 have the page and the place on it: content_12_2.htm                        [TEXT]
_PAPER = re.compile(rf"^(?P<stem>{_ISSUE}content_(?P<id>\d+(?:_\d+)?))(?P<ext>\.html?)$")
# C of 2005-2008 on fzb.zjol.com.cn: /gb/node2/node802/…/userobject15ai5288824.html, without a day [TEXT]
_OLD_PAPER = re.compile(
    r"^(?P<stem>.*/gb/(?:node\d+/)+userobject\d+ai(?P<id>\d+))(?P<ext>\.html?)$"
)
_PAPER_PAGE = re.compile(rf"^{_ISSUE}(?:node_\d+|[a-z]*index)\.html?$")
# The day in A, B and C, for who cannot call `url_day`: year, month, day, in a dialect that a database reads.
DAY_IN_URL = r"/(?:t|system/|html/)(\d{4})[/-]?(\d\d)/?(\d\d)[_/]"
# D  app share pages: their ids are re-used for other articles, so they are never rewritten [SEL]
_APP_HOSTS = {"zj.zjol.com.cn", "tidenews.com.cn", "www.tidenews.com.cn", "m.tidenews.com.cn"}
_APP_VIDEO = re.compile(r"/(?:video|live)\.html$")
# M  mobile pages of legacy articles, by the same nine digits                               [REAL]
_MOBILE = re.compile(r"/(?:mzjol|msite)/details\w*\.html$")
_NEWSID = re.compile(r"(?:^|&)newsid=(\d{9})(?:&|$)")
_VIDEO_HOSTS = {"v.zjol.com.cn", "v-cdn.zjol.com.cn", "cdn.v.zjol.com.cn"}
_MEDIA_FILE = re.compile(r"\.(?:mp4|m3u8|flv|avi|mov|wmv)$", re.IGNORECASE)
_BREAKS = re.compile(r"[\t\r\n]")
_SLASHES = re.compile("/{2,}")
_EXTRA_SLASHES = re.compile("^(https?:)?/{3,}", re.IGNORECASE)  # http:////host/ is http://host/
# What RFC 3986, 6.2.2 has other spellings of; an address without any is its own normal form.
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_SPELLED = re.compile(r"[^\w.~!$&()*+,;=:@/?-]", re.ASCII)
_PERCENT = re.compile(r"%([\dA-Fa-f]{2})?")
_UNRESERVED = re.compile(r"[\w.~-]", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_LONGEST_KNOWN = 500  # characters of base and reference: longer ones are resolved each time


def _at(host: str) -> re.Pattern[str]:
    """The beginning of an http(s) URL at a host, by its pattern, and at the scheme's own port."""
    plain, secure = (rf"{scheme}://{host}\.?(?::(?:{port})?)?" for scheme, port in _PORTS.items())
    return re.compile(rf"(?:{plain}|{secure})(?:[/?#]|\Z)", re.ASCII | re.IGNORECASE)


_LABEL = r"[a-z\d_-]+\."
_OWN = _at(rf"(?:{_LABEL})*zjol\.com\.cn")
_IMAGES = _at(rf"(?:{_LABEL})+zjolcdn\.com")  # [REAL] img.zjolcdn.com, img2.zjolcdn.com


def is_own_host(url: str) -> bool:
    """Whether the URL is http(s) on zjol.com.cn or a host below it, at the scheme's own port.

    Another port is another server, and a user name is how an address pretends to be the site's.
    """
    return bool(_OWN.match(url))


def is_image_host(url: str) -> bool:
    """Whether the URL is http(s) on a host from which the site serves its images."""
    return bool(_OWN.match(url) or _IMAGES.match(url))


def absolute(base: str, href: str) -> str | None:
    """The absolute http(s) URL of an href as a page wrote it, or None if it leads nowhere.

    Protocol-relative, dot segments and doubled slashes are resolved; the fragment, a user name, the
    scheme's own port and a dot at the host's end are dropped.
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
        if not parts.netloc or parts.scheme not in _PORTS:  # else it is whole
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
    """RFC 3986, 5.2.4; `%2e` is a dot, as it is to browsers (URL standard)."""
    kept: list[str] = []
    segment = ""
    for part in path.split("/")[1:]:
        segment = part.lower().replace("%2e", ".")
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(part)
    return "/" + "/".join([*kept, ""] if segment in {".", ".."} else kept)


# A page says the same address again and again, in its menus and in the lists that are read twice.
_resolved = lru_cache(maxsize=1024)(_resolve)


def normalized(url: str) -> str:
    """An absolute URL in the one spelling that all equivalent ones have (RFC 3986, 6.2.2).

    What needs no percent-encoding has none, what needs it has it in capitals, an international host
    name is in ASCII. A `%` that begins no such code is encoded itself.
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
    """The `_id` of an article or frontier row.

    http scheme, lower-case host, no fragment, one spelling; for article forms also no query, `_ext` or page
    suffix. Other URLs keep their query, which may be all that tells them apart (app pages).
    """
    return _known_canonical(url) if len(url) <= _LONGEST_KNOWN else _canonical(url)


def _canonical(url: str) -> str:
    url = normalized(absolute(url, url) or url)
    url = re.sub(r"^https:(?!//[^/]*:)", "http:", url)  # at another port it is another server
    if newsid := _mobile_id(url):
        return f"{url.partition('?')[0]}?newsid={newsid}"
    bare = url.partition("?")[0]
    form = _article_form(bare)
    return form["stem"] + form["ext"] if form else url


# The steps from a link to a document ask for the same address again and again, while those of a list or two wait.
_known_canonical = lru_cache(maxsize=1024)(_canonical)


def kind(url: str) -> str:
    """What an absolute URL leads to: article, mobile, paper, video, app, topic or offsite.

    `paper` is an article of a digital paper. `topic` stands for every page of the site that has no
    article's URL: 专题, column fronts, the pages of a paper's issue.
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
    """The host that is asked for a URL; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # a bracket of IPv6 without the other
        return ""


def is_front(url: str) -> bool:
    """Whether an absolute URL is the front page of the site, of a host or of a column."""
    return kind(url) == "topic" and bool(re.search(r"/(?:index\.s?html?)?$", urlsplit(url).path))


def doc_id(url: str) -> str | None:
    """The CMS's id in an article's URL, digits as written, or None."""
    form = _article_form(urlsplit(url).path)
    return form["id"] if form else _mobile_id(url)


def url_day(url: str) -> date | None:
    """The day in an article's URL, or None: close to the publish date, but not always it."""
    form = _article_form(urlsplit(url).path)
    if not form or form.re is _OLD_PAPER:
        return None
    digits = form["day"] if "day" in form.groupdict() else form["y"] + form["m"] + form["d"]
    return plausible_day(digits[:4], digits[4:6], digits[6:8])


def page_number(url: str) -> int:
    """Which page of a multi-page article a URL is; the first is 0."""
    form = _article_form(urlsplit(url).path)
    return int(form.groupdict().get("page") or 0) if form else 0


def is_paper_page(url: str) -> bool:
    """Whether the URL is that of a page of a digital paper's issue, with its day in it."""
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
