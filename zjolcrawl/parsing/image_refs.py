"""Finds the URL of an `<img>`'s picture, including lazy-loaded ones, and rejects icons and QR codes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from zjolcrawl.parsing.elements import names_of
from zjolcrawl.parsing.urls import absolute
from zjolcrawl.site.current import for_site

IMAGE_TAGS = {"img", "image", "amp-img"}
# Attribute names that lazy loaders use for the real URL: data-src, data-original, data-lazyload,
# lay-src, real_src … Some may hold a link target (data-url): their value must be a picture file.
_LAZY = re.compile(
    r"(?:data[-_](?:[a-z]{1,12}[-_])?|laz?y[-_]?|real[-_]?|actual[-_]?|ori(?:ginal)?[-_]?|_)?(?:src|original|source|echo|actualsrc|realsrc)"
    r"|original|(?:data[-_])?laz?y[-_]?(?:load|src)?"
)
_MAYBE = re.compile(
    r"(?:data[-_](?:[a-z]{1,12}[-_])?|zoom[-_]?)?(?:url|img|image|pic|file|big|large|full|thumb|href)"
)
IS_PICTURE = re.compile(r"\.(?:jpe?g|jfif|png|gif|webp|bmp|avif|heic)(?:[?!@#&_]|$)", re.IGNORECASE)
_RENEWS = re.compile(
    r"(?:_|t|ts|v|ver|version|r|rnd|rand|random|time|timestamp|date|cache|nocache|token|sign|signature|auth_?key|"
    r"expires?|e|from|x-oss-process|imageView2.*|imageMogr2.*)(?:=|$)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r",\s{1,9}|(?<=\d[wx]),|,(?=https?:|//)")  # of a srcset
_EDITORIAL_PICTURE = re.compile(r"(?:^|/)[WP]0\d{14,}")
# Words in a file or folder name that mean page furniture (boilerplate). skyline.jpg, WechatIMG7.jpg and
# hexadecimal names (07ad1.jpg) do not match.
_NOT_PICTURE = re.compile(
    r"(?<![a-z\d])(?:(?:qr(?:_?code)?|zan|ewm|erweima|erwei|(?:bd|js)?share|logos?|icons?|spacer|blank|loading|arrows?|"
    r"dot|line|banner|btn|button|print|favicon|grey|pixel|transparent|guanggao|placeholder|"
    r"(?:next|prev|pre|last|first)[_-]?page|page[_-]?(?:next|prev))(?![a-z])|(?:ads?|hm)(?![a-z\d]))"
    r"|(?:logo|icon|btn|button|ewm|erweima|qr_?code)[_-]?\d{0,4}(?:\.\w{1,5})?$|gif\.gif$"
    r"|(?:weixin|wechat)(?=\.|[_-]?(?:qr|code|erwei|gzh|share|icon|logo|ewm)|$)",
    re.IGNORECASE,
)
_NOT_PICTURE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:qr_?code|ewm|erweima|erwei|share|logo|icon|emoji|btn|button|print|arrow|guanggao|ads?|weixin|wechat)(?:$|[\s_-]|\d)",
    re.IGNORECASE,
)
# An alt text that is only the name of a QR code, button or account. A sentence that mentions one is not.
_NOT_PICTURE_ALT = re.compile(
    r"(?:\S{0,8}(?:微信|微博|公众号|客户端|APP|官微|抖音|小程序|视频号|关注|下方|本报|本网|在线|新闻|日报|网))?\s?二维码"
    r"|(?:微信|手机)?(?:扫一扫|扫码|长按)\S{0,10}|分享(?:到\S{0,8})?|广告|(?:\S{0,6}网站?|本站|网站)?\s?logo"
    r"|视频号|公众号|点赞|在看",
    re.IGNORECASE,
)
# Common <img> attributes that hold no lazy-loaded URL. TRS's editor keeps the file name before upload
# in oldsrc.
_PLAIN = {
    "src", "alt", "title", "class", "id", "style", "width", "height", "border", "align", "oldsrc",
    "hspace", "vspace", "loading", "decoding", "onload", "onclick", "usemap", "name",
}  # fmt: skip
_NO_ADDRESS = _PLAIN - {"oldsrc"} | {
    "srcset",
    "data-srcset",
    "data-alt",
    "data-title",
    "aria-label",
}
_NO_REFERENCE = re.compile(r"[\s\"'(){}<>]|^data:")
# A photo named after its subject (logo-show-2017.jpg): another word follows that is not typical of page
# furniture, and the file is a JPEG, which furniture seldom is.
_photo = for_site(
    lambda site: re.compile(
        r"(?:logos?|icons?|share|line|banner|button|print|dot|blank|arrows?|ads?|btn)[-_]"
        r"(?!(?:weixin|wechat|weibo|qzone|tieba|douban|qrcode|footer|header|bottom|right|left|white|black|small|large|big|"
        rf"search|close|home|index|site|mobile|phone|news|{re.escape(site.label)}|back|next|prev|play|video|email|mail|down|code|image|img|icon|logo|"
        r"line|banner|share|print|button|top|print|gray|grey|default|hover|new|main|page|text|title)(?![a-z]))[a-z]{3,20}+(?:[-_][a-z\d]{1,20}+){0,5}+\.jpe?g$",
        re.IGNORECASE,
    )
)
# An alt text that names a thing: a photo of it may have the same. Other alts address the reader.
_THING = re.compile(r"(?:收款)?二维码|公众号|视频号|分享|点赞|在看|广告|logo", re.IGNORECASE)
_LARGE = 200  # pixels
_SMALL_NAME = re.compile(r"[_/]w(?:[12]?\d|3[0-2])_?h(?:[12]?\d|3[0-2])(?!\d)")


def picture(element: HtmlElement, base: str) -> tuple[str, str] | None:
    """(absolute URL, reference as written) of an editorial picture; None for an icon or QR code."""
    alt = (element.get("alt") or "").strip()
    is_refused = bool(_NOT_PICTURE_ALT.fullmatch(alt))
    if is_refused and not _THING.fullmatch(alt):
        return None
    for ref in _references(element):
        url = absolute(base, ref)
        if not url or (
            is_refused and not _EDITORIAL_PICTURE.search(url) and not _is_large(element)
        ):
            continue
        if _EDITORIAL_PICTURE.search(url) or not _is_furniture(element, url):
            return url, ref
    return None


def image_key(url: str) -> str:
    """A key for a picture that is the same for all spellings of its URL.

    File names from the editorial system (W020170812341787363590.jpg) are unique and are the key. For
    other pictures it is host, path and query, without cache-busting or access parameters (`?t=1`,
    `?token=x`).
    """
    place, _, query = url.partition("://")[2].partition("#")[0].partition("?")
    if _EDITORIAL_PICTURE.search(place):
        return place.rpartition("/")[2]
    if not query or IS_PICTURE.search(place):
        return place
    kept = [each for each in query.split("&") if not _RENEWS.match(each)]
    return f"{place}?{'&'.join(kept)}" if kept else place


def _references(element: HtmlElement) -> Iterator[str]:
    """The candidate URLs of an `<img>`, most likely first."""
    others = [(name, value) for name, value in element.items() if name not in _PLAIN and value]
    for name, value in others:
        if not value.startswith("data:") and "srcset" not in name:
            is_said = _LAZY.fullmatch(name) and ("/" in value or "." in value)
            if is_said or (_MAYBE.fullmatch(name) and IS_PICTURE.search(value)):
                yield value
    src = element.get("src") or ""
    if src and not src.startswith("data:"):
        yield src
    for name, value in others:
        if name.endswith("srcset"):
            yield from _largest(value)
    box = element if element.tag == "picture" else element.getparent()
    while box is not None and box.tag == "source":  # libxml2 nests what follows a <source>
        box = box.getparent()
    for source in box.iter("source") if box is not None and box.tag == "picture" else ():
        yield from _largest(source.get("srcset") or source.get("data-srcset") or "")
    # Any other attribute that names a picture file: oldsrc, osrc, data-hi-res, v-lazy="'a.jpg'".
    for name, value in element.items():
        address = value.strip("'\"` ")
        is_file = name not in _NO_ADDRESS and IS_PICTURE.search(address)
        if is_file and not name.startswith("on") and not _NO_REFERENCE.search(address):
            yield address


def _largest(srcset: str) -> Iterator[str]:
    """The URLs of a srcset, largest first."""
    found: list[tuple[float, str]] = []
    for part in _BETWEEN.split(srcset):
        ref, _, size = part.strip(", \n\t").partition(" ")
        if ref and not ref.startswith("data:"):
            digits = re.match(r"\s{0,9}(\d{1,6}(?:\.\d{1,3})?)[wx]", size)
            found.append((float(digits[1]) if digits else 1.0, ref))
    yield from (ref for _, ref in sorted(found, key=lambda each: -each[0]))


def _is_large(element: HtmlElement) -> bool:
    sizes = [
        re.match(r"(\d{1,6})(?![\d%])", element.get(name) or "") for name in ("width", "height")
    ]
    return any(size and int(size[1]) >= _LARGE for size in sizes)


def _is_furniture(element: HtmlElement, url: str) -> bool:
    about = names_of(element)
    path = url.split("//", 1)[-1].partition("/")[2].partition("?")[0]
    return bool(
        (len(about) > 1 and _NOT_PICTURE_CLASS.search(about))
        or _names_furniture(path)
        or _SMALL_NAME.search(path)
        or _is_tiny(element)
    )


def _names_furniture(path: str) -> bool:
    mark = _NOT_PICTURE.search(path)
    if not mark:
        return False
    name = path.rfind("/") + 1
    return mark.start() < name or not _photo().match(path, mark.start())


def _is_tiny(element: HtmlElement) -> bool:
    sizes = [
        re.match(r"(\d{1,6})(?![\d%])", element.get(name) or "") for name in ("width", "height")
    ]
    return any(size and int(size[1]) <= 32 for size in sizes)
