"""Splits the text of a tag bar (标签) or meta keywords into a list of tags."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise

from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.site.current import current_site, for_site

_HARD = re.compile(r"[;；,，、|｜]")
_HASHED = re.compile(r"[;；,，、|｜#＃]")
_LONGEST = 20  # characters of a keyword; a longer one is a headline or a sentence
# 长兴新闻网, 旅游频道, 辟谣平台: the publisher, not the subject.
_site_word = for_site(
    lambda site: re.compile(
        rf"(?:新闻网|在线|频道|门户|网站|辟谣平台|客户端|{re.escape(site.label)})$|"
        rf"^(?:资讯|(?:图片|综合|国内|国际|社会|本地|今日|时政|体育|视频|{re.escape(site.keyword_place)}|最新|滚动|热点)?新闻)$",
        re.IGNORECASE,
    )
)
# $keywords$, [标签:关键词]: template placeholders that were never filled.
_PLACEHOLDER = re.compile(
    r"[$%@#_\[【]{1,3}\s?(?:[a-z_.:/-]{0,20}(?:key|tag|word)[a-z_.:/-]{0,20}|\S{0,6}(?:标签|关键[词字]|字段)\S{0,12})\s?[$%@#_\]】]{1,3}",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u4e00-\u9fff]$")


def split_tags(pieces: list[str]) -> list[str]:
    """The tags in page order, without duplicates.

    A piece is the text of one tag link, or a whole bar (`督察;生态文明 整改`). `;` `；` `,` `，` `、`
    and `|` always divide. A space divides too, except beside a Latin word (`G20 峰会`) if there are
    several pieces or the piece has another divider.
    """
    tags: list[str] = []
    for piece in pieces:
        hard = len(pieces) > 1 or bool(_HARD.search(piece))
        # #码头# #渡船# and #码头#渡船: a hash before each tag, or on both sides.
        divider = _HASHED if piece.lstrip().startswith(("#", "＃")) else _HARD
        for part in [] if _PLACEHOLDER.fullmatch(piece) else divider.split(piece):
            if not _PLACEHOLDER.fullmatch(text := clean(part)):
                tags.extend(_spaced(text.strip("#＃ "), hard=hard))
    return list(dict.fromkeys(tag for tag in tags if tag))


def keyword_tags(keywords: list[str], names: Collection[str]) -> list[str]:
    """The meta keywords that are tags: without `names` (sites and columns) and words that look like one."""
    said = [tag for tag in split_tags(keywords) if len(tag) <= _LONGEST]
    tags = [tag for tag in said if not _site_word().search(tag)]
    tags = [tag for tag in tags if tag not in names and f"{tag}网" not in names]
    # 浙江 is a tag only if there are other tags and no keyword was dropped as the site's.
    others = [tag for tag in tags if tag != current_site().keyword_place]
    return tags if others and len(tags) == len(said) else others


def _spaced(text: str, *, hard: bool) -> list[str]:
    words = re.split(r"[ \u3000]+", text)
    if not hard:
        return words
    joined = [[words[0]]]
    for before, word in pairwise(words):
        if _HAN.search(before) and _HAN.match(word[:1]):
            joined.append([word])
        else:
            joined[-1].append(word)
    return [" ".join(tag) for tag in joined]
