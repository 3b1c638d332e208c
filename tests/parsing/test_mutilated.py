"""Whatever arrives, an article or a reason comes back, and soon."""

import random
import time
from collections.abc import Callable

import pytest

from tests.goldens import load, sidecars
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.parsing.paper_page import read_paper_page
from zjolcrawl.parsing.urls import canonical
from zjolcrawl.pipelines.normalize import normalize

PAGES = [load(path) for path in sidecars("document")]
Mutilate = Callable[[bytes, random.Random], bytes]


def cut(page: bytes, chance: random.Random) -> bytes:
    return page[: chance.randrange(len(page))]


def doubled(page: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(page))
    return page[:at] + page + page[at:]


def noise(page: bytes, chance: random.Random) -> bytes:
    spoiled = bytearray(page)
    for _ in range(40):
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    return bytes(spoiled)


def unclosed(page: bytes, chance: random.Random) -> bytes:
    tags = [b"</div>", b"</p>", b"</span>", b"</td>", b"</table>", b"</script>"]
    return page.replace(chance.choice(tags), b"", chance.randrange(1, 20))


def deep(page: bytes, chance: random.Random) -> bytes:
    depth = chance.randrange(100, 600)
    return page.replace(b"<body>", b"<body>" + b"<div>" * depth + b"<span>" * depth)


def other_charset(page: bytes, chance: random.Random) -> bytes:
    text = page.decode("utf-8", "replace")
    return text.encode(chance.choice(["gb18030", "big5", "utf-16", "shift_jis"]), "replace")


@pytest.mark.parametrize("mutilate", [cut, doubled, noise, unclosed, deep, other_charset])
def test_mutilated_page(mutilate: Mutilate) -> None:
    chance = random.Random(4774532)
    for _ in range(60):
        golden, page = chance.choice(PAGES)
        spoiled = mutilate(page, chance)
        begun = time.monotonic()
        found = read_article(spoiled, golden["url"])
        read_column(spoiled, golden["url"])
        read_paper_page(spoiled, golden["url"])
        assert isinstance(found, RawArticle | Stub | NotArticle)
        if isinstance(found, RawArticle):
            # A mobile page names the article that it shows; where that is spoiled it is its own.
            own = canonical(golden["url"])
            assert normalize(found).url in {golden["document"]["_id"], own}
        # A bound against a hang, far above what a slow machine needs.
        assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"<", b"\xff" * 1000, b"<html>", b"{}", b"%PDF-1.4"]
)
def test_what_is_no_page(body: bytes) -> None:
    assert isinstance(read_article(body, PAGES[0][0]["url"]), NotArticle)
    assert read_column(body, "http://china.zjol.com.cn/gnxw/").fault


def test_picture_that_claims_an_absurd_width() -> None:
    page = f'<div class="contTxt"><img src="a.jpg" width="{"9" * 5000}"><p>　　好。</p></div>'
    found = read_article(page.encode(), PAGES[0][0]["url"])
    assert isinstance(found, RawArticle)
    assert len(found.images) == 1
