"""Pages that redirect the browser or say that they are missing, and briefs that only look like them."""

import pytest

from tests.parsing.passages import URL, page
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article

BRIEF = "<p>今天全省多云，气温二十六度。</p>"
OTHER = "http://zjnews.zjol.com.cn/zjnews/hznews/201708/t20170811_4770001.shtml"
PHONE = "http://m.zjol.com.cn/x.html"


def read(html: str, url: str = URL) -> RawArticle | Stub | NotArticle:
    return read_article(html.encode(), url)


@pytest.mark.parametrize(
    "script",
    [
        f'if(/Android|iPhone/i.test(navigator.userAgent)){{location.href="{PHONE}"}}',
        f"if (isMobile()) window.location.replace('{PHONE}');",
        f"var ua = navigator.userAgent; if (ua.match(/iPhone/)) {{ top.location = '{PHONE}'; }}",
        f'/mobile/i.test(navigator.userAgent) && (location.href = "{PHONE}");',
        f"function uaredirect() {{ try {{ if (screen.width < 800) {{ location.assign('{PHONE}') }} }} catch (e) {{}} }} uaredirect();",
        f"screen.width < 640 ? location.replace('{PHONE}') : 0",
        f"function toList() {{ location.href = '{OTHER}'; }}",
        f"document.getElementById('b').onclick = function () {{ location.href = '{OTHER}'; }};",
        f"// location.href = '{OTHER}'\nvar a = 1;",
        f"/* location.replace('{OTHER}') */",
        f"switch (platform) {{ case 'ios': location.href = '{PHONE}'; }}",
    ],
)
def test_brief_that_sends_some_browsers_on_is_an_article(script: str) -> None:
    found = read(page(BRIEF, head=f"<script>{script}</script>", title="今日天气"))
    assert isinstance(found, RawArticle)
    assert (found.title, found.body) == ("今日天气", ["今天全省多云，气温二十六度。"])


@pytest.mark.parametrize(
    "head",
    [
        f"<meta http-equiv=refresh content='300;url={OTHER}'>",
        f"<noscript><meta http-equiv=refresh content='0;url={OTHER}'></noscript>",
        f"<meta http-equiv=refresh content='0;url={URL}'>",
        "<meta http-equiv=refresh content=600>",
    ],
)
def test_brief_with_a_refresh_that_sends_nobody_on(head: str) -> None:
    assert isinstance(read(page(BRIEF, head=head)), RawArticle)


@pytest.mark.parametrize(
    "markup",
    [
        f"<script>location.href = '{OTHER}'</script>",
        f"<script>window.onload = function () {{ window.location.replace('{OTHER}'); }}</script>",
        f"<script>setTimeout(\"location.href='{OTHER}'\", 3000)</script>",
        f"<script>function a() {{ return 1; }} location.assign('{OTHER}');</script>",
        f"<script>(function () {{ self.location = '{OTHER}'; }})();</script>",
        f"<meta http-equiv=Refresh content='0; URL={OTHER}'>",
        f"<meta http-equiv='refresh' content=\"3;url='{OTHER}'\">",
        f"<body onload=\"location.href='{OTHER}'\"></body>",
        f"<noscript><meta http-equiv=refresh content='0;url=/nojs.html'></noscript><script>location.href='{OTHER}'</script>",
        f"<script>// location.href='/old.html'\nlocation.href='{OTHER}'</script>",
        f"<script>/* location.href='/old.html' */ location.href='{OTHER}'</script>",
        f"<script>if (isMobile) {{ location.href = '{PHONE}' }} location.href = '{OTHER}'</script>",
        "<base href=http://zjnews.zjol.com.cn/zjnews/><script>location.href='hznews/201708/t20170811_4770001.shtml'</script>",
    ],
)
def test_stub_leads_where_its_script_does(markup: str) -> None:
    found = read(f"<html><head><title>转向中</title></head>{markup}</html>")
    assert found == Stub(OTHER)


def test_brief_that_sends_every_browser_on_is_a_stub() -> None:
    assert read(
        page("<p>正在跳转……</p>", head=f"<script>location.href='{OTHER}'</script>")
    ) == Stub(OTHER)


def test_page_that_sends_the_browser_to_itself() -> None:
    """It is a loop, or a challenge of a server that sets a cookie."""
    assert read(f"<script>location.href='{URL}'</script>") == Stub(URL)
    found = read(f"<script>document.cookie='a=1';location.href='{URL}'</script>")
    assert isinstance(found, NotArticle)
    assert found.withheld


@pytest.mark.parametrize(
    "title",
    [
        "造谣帖文已被删除 发帖人致歉",
        "网页打不开提示404 原来是光缆断了",
        "微博显示页面不存在 当事人回应",
        "两千个违规账号已被删除",
        "Not Found乐队周末来杭",
        "404路公交车下周改道",
        "手机上无法找到该页面 老人求助社区",
        "失踪古籍的封面没有找到",
    ],
)
def test_brief_about_something_missing_is_an_article(title: str) -> None:
    found = read(page(BRIEF, title=title))
    assert isinstance(found, RawArticle)
    assert found.title == title


@pytest.mark.parametrize(
    "title",
    [
        "404 Not Found", "404-页面不存在", "抱歉，找不到您要的页面", "该文章已被删除", "无法找到该页", "页面没有找到",
        "没有找到您访问的页面", "网页未找到", "无法找到该网页", "页面无法找到", "您要的页面没找到",
    ],
)  # fmt: skip
def test_page_that_says_it_is_missing(title: str) -> None:
    found = read(
        f"<html><head><title>{title}</title></head><body><h1 class=artTitle>{title}</h1>"
        "<div class=artCon><p>您访问的内容可能已经移走，请返回首页。</p></div></body></html>"
    )
    assert isinstance(found, NotArticle)
    assert found.missing
