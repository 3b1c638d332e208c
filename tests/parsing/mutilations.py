"""Mutilates pages: damage on the way from editor to parser, and hostile pages.

Each mutilation takes a page's bytes and a random generator, and returns the changed bytes: the same
seed, the same page. `spoil` draws one or several; `bench/fuzz.py` and `test_mutilated.py` share them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Mutilation = Callable[[bytes, random.Random], bytes]

_TAG = re.compile(rb"<[a-zA-Z][^<>]*>")
_PAIR = re.compile(rb"<[a-zA-Z][^<>]*>|</[a-zA-Z][^<>]*>")
_ATTRIBUTES = re.compile(rb"\s([a-zA-Z-]+)=(\"[^\"]*\"|'[^']*')")
_CLOSINGS = [b"</div>", b"</p>", b"</span>", b"</td>", b"</table>", b"</script>", b"</ul>", b"</a>"]
_OPENINGS = [b"div", b"span", b"font", b"section", b"td", b"b", b"a", b"ul", b"blockquote", b"table"]  # fmt: skip
# Faults at these places of a page affect a field.
_ANCHORS = [b"<body", b"contTxt", b"artCon", b"contTit", b"artTitle", b"pubtime_baidu", b"</body>"]
_INVISIBLE = "\u200b\u200e\u200f\u202a\u202e\u2066\u2069\ufeff\u00ad\u2028\u0301"
# Beginnings of what the parser looks for: repeated in a line, they are the worst case of its patterns.
HOSTILE = [
    "记者 ", "记者", "江 帆 ", "浙江在线记者 ", "文/", "责任编辑：", "来源：", "标签：", "编者按：", "2017年08月12日 ", "2017-08-", "12日", "，",
    "（", "【", "(", "[", "<", "&", "&#", "浙", "　", " ", "\u00a0", "_", "-", "—", "| ", "> ", "·", "a", "0", "/", ".", "url=", "location=",
    "createPageHTML(", "分享", "打印|", "1 2 3 ", "版权", "记者、", "通讯员", "图/", "张三 文 ", "下一页", "您当前的位置", "驻京", "\t", "\n", "\r\n ",
]  # fmt: skip


def cut(page: bytes, chance: random.Random) -> bytes:
    return page[: chance.randrange(len(page) + 1)]


def doubled(page: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(page) + 1)
    return page[:at] + page + page[at:]


def hole(page: bytes, chance: random.Random) -> bytes:
    at, end = sorted(chance.randrange(len(page) + 1) for _ in range(2))
    return page[:at] + page[end:]


def halves(page: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(page) + 1)
    return page[at:] + page[:at]


def noise(page: bytes, chance: random.Random) -> bytes:
    spoiled = bytearray(page or b" ")
    for _ in range(chance.choice([1, 40, 400])):
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    return bytes(spoiled)


def inserted_noise(page: bytes, chance: random.Random) -> bytes:
    at = _place(page, chance)
    return page[:at] + chance.randbytes(chance.randrange(1, 3000)) + page[at:]


def nuls(page: bytes, chance: random.Random) -> bytes:
    for _ in range(20):
        at = chance.randrange(len(page) + 1)
        page = page[:at] + b"\x00" * chance.choice([1, 2, 500]) + page[at:]
    return page


def other_charset(page: bytes, chance: random.Random) -> bytes:
    charsets = ["gbk", "gb18030", "big5", "utf-16", "utf-16-be", "utf-32", "shift_jis", "latin-1"]
    return _text(page).encode(chance.choice(charsets), "replace")


def twice_encoded(page: bytes, _: random.Random) -> bytes:
    return page.decode("latin-1").encode("utf-8")


def mixed_charsets(page: bytes, chance: random.Random) -> bytes:
    text = _text(page)
    at = chance.randrange(len(text) + 1)
    return text[:at].encode("utf-8", "replace") + text[at:].encode("gb18030", "replace")


def unclosed(page: bytes, chance: random.Random) -> bytes:
    return page.replace(chance.choice(_CLOSINGS), b"", chance.randrange(1, 20))


def tags_lost(page: bytes, chance: random.Random) -> bytes:
    return _PAIR.sub(lambda tag: b"" if chance.random() < 0.1 else tag[0], page)


def tags_shuffled(page: bytes, chance: random.Random) -> bytes:
    tags = _PAIR.findall(page)
    chance.shuffle(tags)
    return _PAIR.sub(lambda tag: tags.pop() if chance.random() < 0.3 else tag[0], page)


def cut_tag(page: bytes, chance: random.Random) -> bytes:
    tags = list(_TAG.finditer(page))
    if not tags:
        return page
    tag = chance.choice(tags)
    at = chance.randrange(tag.start() + 1, tag.end())
    return page[:at] + page[tag.end() :]


def quotes(page: bytes, chance: random.Random) -> bytes:
    def mismatched(value: re.Match[bytes]) -> bytes:
        if chance.random() > 0.05:
            return value[0]
        inner = value[2][1:-1]
        return b" " + value[1] + chance.choice([b'="%b', b"=%b'", b"='%b\"", b"=%b"]) % inner

    return _ATTRIBUTES.sub(mismatched, page)


def attributes(page: bytes, chance: random.Random) -> bytes:
    """Swaps attributes between tags of the page."""
    found = [f[0] for f in _ATTRIBUTES.finditer(page)]
    chance.shuffle(found)
    return _ATTRIBUTES.sub(lambda f: found.pop() if chance.random() < 0.5 else f[0], page)


def ids(page: bytes, chance: random.Random) -> bytes:
    """Puts ids and classes that templates look for on other elements."""
    names = [
        b'id="pubtime_baidu"', b'id="source_baidu"', b'id="author_baidu"', b'id="editor_baidu"', b'class="contTxt"', b'class="contTit"',
        b'class="artCon"', b'class="content"', b'class="time"', b'class="path"', b'id="main"', b'class="listLi"', b'class="fenye"',
    ]  # fmt: skip

    def named(tag: re.Match[bytes]) -> bytes:
        if chance.random() > 0.04:
            return tag[0]
        return tag[0][:-1].rstrip(b"/") + b" " + chance.choice(names) + b">"

    return _TAG.sub(named, page)


def comment(page: bytes, chance: random.Random) -> bytes:
    opening = chance.choice([b"<!--", b"<!", b"<?", b"<![CDATA[", b"<!-- -- >", b"<!DOCTYPE ["])
    at = _place(page, chance)
    return page[:at] + opening + page[at:]


def raw_text(page: bytes, chance: random.Random) -> bytes:
    tag = chance.choice([b"script", b"style", b"textarea", b"title", b"noscript", b"iframe", b"select", b"svg", b"template", b"xmp", b"plaintext"])  # fmt: skip
    at = _place(page, chance)
    return page[:at] + b"<" + tag + b">" + page[at:]


def invisible(page: bytes, chance: random.Random) -> bytes:
    text = list(_text(page))
    for _ in range(200):
        text.insert(chance.randrange(len(text) + 1), chance.choice(_INVISIBLE))
    return "".join(text).encode("utf-8", "replace")


def strange_characters(page: bytes, chance: random.Random) -> bytes:
    """Private-use (including our own marks), astral, unassigned and combining characters, width variants."""
    text = list(_text(page))
    for _ in range(100):
        text[chance.randrange(len(text) or 1) : 0] = chance.choice(
            ["\U000f0000", "\U000f0003", "\U000ffff0", "\U000ffff1", "\U000fffff", "\ue000", "\U0002a6d6", "\ufdfa", "\u3099" * 50, "㍿", "\ufffe", "\x1a", "\x85", "￣", "Ⅻ"]
        )  # fmt: skip
    return "".join(text).encode("utf-8", "replace")


def entities(page: bytes, chance: random.Random) -> bytes:
    one = chance.choice([b"&lol;", b"&#x110000;", b"&#0;", b"&#xD800;", b"&amp;amp;", b"&nbsp", b"&", b"&#38;", b"&#983040;", b"&zwnj;", b"&#1114111;"])  # fmt: skip
    at = _place(page, chance)
    return page[:at] + one * chance.choice([1, 300, 20_000]) + page[at:]


def entity_bomb(page: bytes, _: random.Random) -> bytes:
    names = "abcdefghij"
    lines = [f'<!ENTITY {n} "{f"&{names[i - 1]};" * 10 if i else "好" * 100}">' for i, n in enumerate(names)]  # fmt: skip
    return f"<!DOCTYPE html [{''.join(lines)}]>".encode() + page.replace(b"<p>", b"<p>&j;")


def long_attribute(page: bytes, chance: random.Random) -> bytes:
    name = chance.choice([b"class", b"id", b"style", b"src", b"href", b"alt", b"title", b"content"])
    word = chance.choice([b"share ", b"a", b"share-", b" ", b"/", b"../", b"text-align:", b"%E6", b"url=", b"0", b"-"])  # fmt: skip
    tag = chance.choice([b"img", b"a", b"div", b"p", b"meta", b"span", b"iframe"])
    at = _place(page, chance)
    return page[:at] + b'<%b %b="%b">' % (tag, name, word * chance.choice([500, 20_000])) + page[at:]  # fmt: skip


def many_attributes(page: bytes, chance: random.Random) -> bytes:
    at = _place(page, chance)
    pairs = b" ".join(b'a%d="%d"' % (i, i) for i in range(chance.choice([50, 2_000])))
    return page[:at] + b"<div %b>" % pairs + page[at:]


def many(page: bytes, chance: random.Random) -> bytes:
    """Thousands of one element, closed or not, somewhere in the page."""
    one = chance.choice([
        b"<br>", b"<img src='./W020170812341787363590.jpg'>", b"<img src=a.jpg>", b"<a href='/x.shtml'>\xe4\xb8\x80</a>", b"<td>", b"<td>x</td>",
        b"<tr><td>x<td>y</tr>", b"<p>", b"</p>", b"<p>\xe5\xa5\xbd\xe3\x80\x82</p>", b"<li>x", b"<li><a href=a>x</a></li>", b"<h1>\xe9\xa2\x98\xe7\x9b\xae\xe4\xb8\x80\xe5\x88\x99</h1>",
        b"<span></span>", b"<span>x</span>", b"<b>x</b>", b"<hr>", b"<table><tr><td>", b"<div>x</div>", b"</div>", b"<div class=content>x",
        b"<iframe src=//v.zjol.com.cn/1.mp4></iframe>", b"<strong>", b"<font color=red>x</font>", b"<option>x", b"<input>", b"<ul><li>x</ul>",
        b"<div class=contTxt><p>\xe5\xa5\xbd</p></div>", b"<a class=CurrChnlCls>x</a>", b"<div class=path>x</div>", b"<p>\xe8\xae\xb0\xe8\x80\x85 \xe6\xb1\x9f\xe5\xb8\x86</p>",
    ])  # fmt: skip
    at = _place(page, chance)
    return page[:at] + one * chance.choice([10, 300, 3_000]) + page[at:]


def deep(page: bytes, chance: random.Random) -> bytes:
    return _nested(page, chance, chance.choice([50, 200, 600, 2_000]))


def hostile_text(page: bytes, chance: random.Random) -> bytes:
    return _hostile(page, chance, chance.choice([50, 1_000, 8_000]))


def one_line(page: bytes, _: random.Random) -> bytes:
    return re.sub(rb"[\r\n]+", b"", page)


def no_breaks(page: bytes, _: random.Random) -> bytes:
    return re.sub(rb"</?(?:p|div|br|td|tr|table|li|ul|h\d)\b[^<>]*>", b"", page)


# Very large pages: rarer in a mixed run, or they would take all its time.


def abyss(page: bytes, chance: random.Random) -> bytes:
    return _nested(page, chance, 10_000)


def abyss_of_kinds(page: bytes, chance: random.Random) -> bytes:
    at = _place(page, chance)
    kinds = [b"<%b>" % chance.choice(_OPENINGS) for _ in range(10_000)]
    return page[:at] + b"".join(kinds) + page[at:]


def repeated(page: bytes, _: random.Random) -> bytes:
    head, mark, rest = page.partition(b"<body")
    return head + (mark + rest) * 50


def giant_line(page: bytes, chance: random.Random) -> bytes:
    word = chance.choice([*HOSTILE, "好", "浙江新闻，", "x "]).encode()
    at = _place(page, chance)
    return page[:at] + word * (4_000_000 // len(word)) + page[at:]


def crowd(page: bytes, chance: random.Random) -> bytes:
    one = chance.choice([
        b"<br>", b"<br>\xe5\xa5\xbd", b"<img src='./W020170812341787363590.jpg'>", b"<a href='/x.shtml'>\xe4\xb8\x80</a>", b"<td>\xe5\xa5\xbd</td>", b"<p>\xe5\xa5\xbd</p>", b"<p>", b"<span>\xe5\xa5\xbd</span>",
        b"<b>\xe5\xa5\xbd</b>", b"<li>\xe5\xa5\xbd</li>", b"<tr><td>1<td>2</tr>", b"<div class=content><p>\xe5\xa5\xbd</p></div>", b"<b><i>", b"<h1>\xe5\xa5\xbd</h1>",
    ])  # fmt: skip
    at = _place(page, chance)
    return page[:at] + one * 20_000 + page[at:]


def hostile_lines(page: bytes, chance: random.Random) -> bytes:
    return _hostile(page, chance, 100_000)


COMMON: tuple[Mutilation, ...] = (
    cut, doubled, hole, halves, noise, inserted_noise, nuls, other_charset, twice_encoded, mixed_charsets, unclosed, tags_lost, tags_shuffled,
    cut_tag, quotes, attributes, ids, comment, raw_text, invisible, strange_characters, entities, entity_bomb, long_attribute, many_attributes,
    many, deep, hostile_text, one_line, no_breaks,
)  # fmt: skip
GIANT: tuple[Mutilation, ...] = (
    abyss, abyss_of_kinds, repeated, giant_line, crowd, hostile_lines,
)  # fmt: skip


def swapped(page: bytes, other: bytes, chance: random.Random) -> bytes:
    """The start of one page and the end of another."""
    return page[: chance.randrange(len(page) + 1)] + other[chance.randrange(len(other) + 1) :]


def spoil(pages: list[bytes], chance: random.Random, giants: float = 0.03) -> tuple[bytes, str]:
    """One of the pages, mutilated in one to three ways, and the names of the mutilations."""
    page = chance.choice(pages)
    if chance.random() < giants:
        mutilations = [chance.choice(GIANT)]
    else:
        mutilations = chance.choices(COMMON, k=chance.choice([1, 1, 1, 2, 3]))
    names = [mutilation.__name__ for mutilation in mutilations]
    if chance.random() < 0.1:
        page = swapped(page, chance.choice(pages), chance)
        names.insert(0, "swapped")
    for mutilation in mutilations:
        page = mutilation(page, chance)
    return page, "+".join(names)


def _text(page: bytes) -> str:
    try:
        return page.decode("utf-8")
    except UnicodeDecodeError:
        return page.decode("gb18030", "replace")


def _place(page: bytes, chance: random.Random) -> int:
    """A position between two tags, preferably in the article."""
    mark = page.find(chance.choice(_ANCHORS)) if chance.random() < 0.7 else -1
    if mark < 0:
        mark = chance.randrange(len(page) + 1)
    return page.find(b">", mark) + 1 or len(page)


def _nested(page: bytes, chance: random.Random, depth: int) -> bytes:
    tag = chance.choice(_OPENINGS)
    filling = chance.choice([b"", b"\xe5\xa5\xbd", b"<br>"])
    at = _place(page, chance)
    opened = (b"<%b>%b" % (tag, filling)) * depth
    closed = (b"</%b>" % tag) * depth if chance.random() < 0.5 else b""
    return page[:at] + opened + b"<p>\xe5\xba\x95</p>" + closed + page[at:]


def _hostile(page: bytes, chance: random.Random, length: int) -> bytes:
    """A line that repeats one or two pieces and ends with a piece that does not match."""
    line = "".join(chance.choices(HOSTILE, k=chance.choice([1, 1, 2, 3])))
    line = line * (length // len(line) + 1) + chance.choice(["", "！", "。", "江", "："])
    spoiled = line.encode(chance.choice(["utf-8", "utf-8", "gb18030"]), "replace")
    at = _place(page, chance)
    return page[:at] + chance.choice([b"<p>%b</p>", b"%b", b"<!--%b-->", b'<a href="%b">x</a>']) % spoiled + page[at:]  # fmt: skip
