"""The pages in a real Chromium: as loaded, without JavaScript, by keyboard alone, under attack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.web.browser import BROWSER, DRIVER, MISSING, chromium, resize
from tests.web.conftest import Archive
from tests.web.sample import FOE, REFERENCE, SOWN, SOWN_YEAR
from tests.web.serving import Web

pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason=MISSING)
webdriver = pytest.importorskip("selenium.webdriver")
WebDriverWait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait
staleness_of = pytest.importorskip("selenium.webdriver.support.expected_conditions").staleness_of
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys

PAGES = [
    "/", "/?" + urlencode({"q": "环保督察"}), "/?column=zjxw&since=2017-01-01&images=1",
    "/article?" + urlencode({"url": REFERENCE}), "/history?" + urlencode({"url": REFERENCE}),
    "/record?" + urlencode({"url": REFERENCE}), "/columns", f"/calendar?column={SOWN}&year={SOWN_YEAR}",
    "/health", "/feeds", "/api/v1/", "/api/v1/?lang=en", "/article?" + urlencode({"url": FOE}), "/history?" + urlencode({"url": FOE}),
    "/changes", "/?" + urlencode({"q": "消息"}), "/?q=x&since=soon&page=1", "/?column=zjxv",
    *(f"{path}lang=en" for path in ("/?", "/changes?", f"/calendar?column={SOWN}&year={SOWN_YEAR}&", "/health?", "/columns?")),
    "/article?" + urlencode({"url": REFERENCE, "lang": "en"}), "/history?" + urlencode({"url": REFERENCE, "lang": "en"}),
    "/?" + urlencode({"q": "消息", "since": "soon", "lang": "en"}), "/record?" + urlencode({"url": REFERENCE, "lang": "en"}),
]  # fmt: skip
# Nodes of the accessibility tree that a screen reader announces.
_UNNAMED = """
return [...document.querySelectorAll('input:not([type=hidden]), select, button, a, img, nav, summary')].filter(each =>
  each.matches('img') ? !each.hasAttribute('alt') :
  each.matches('input, select') ? !each.labels.length :
  !(each.textContent.trim() || each.getAttribute('aria-label'))).map(each => each.outerHTML)
"""
_WIDE = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Contrast of text and background (WCAG 2.2, 1.4.3), for plain backgrounds.
_PALE = """
const channel = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1);
  return canvas.getImageData(0, 0, 1, 1).data; };
const light = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
const behind = e => { for (; e; e = e.parentElement) { const s = getComputedStyle(e);
  if (s.backgroundImage !== 'none') return null;
  const c = rgba(s.backgroundColor); if (c[3] === 255) return c; }
  return rgba(getComputedStyle(document.body).backgroundColor); };
const found = [];
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) { const e = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !e.checkVisibility() || e.closest('.hidden, .skip, .number, option')) continue;
  const back = behind(e); if (!back) continue;
  const a = light(rgba(getComputedStyle(e).color)), b = light(back);
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) found.push([ratio.toFixed(2), e.className, texts.currentNode.data.trim().slice(0, 20)]); }
return found;
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A browser with JavaScript disabled."""
    with chromium(tmp_path_factory.mktemp("plain"), script=False) as driver:
        driver.implicitly_wait(10)  # the page after a click
        yield driver


@pytest.fixture
def told(browser: webdriver.Chrome) -> Callable[[], list[str]]:
    """Console messages since the start of the test."""
    browser.get_log("browser")
    return lambda: [each["message"] for each in browser.get_log("browser")]


@pytest.mark.parametrize("target", PAGES)
def test_page_loads_with_its_style_and_without_a_complaint(
    target: str, browser: webdriver.Chrome, web: Web, told: Callable[[], list[str]]
) -> None:
    browser.get(web.url + target)
    assert browser.execute_script("return document.styleSheets.length") == 1
    assert len(browser.find_elements("css selector", "h1")) == 1
    broken = "return [...document.images].filter(i => i.complete && !i.naturalWidth).length"
    assert browser.execute_script(broken) == 0
    # The browser reports a page with status 400 or 404 itself.
    assert [each for each in told() if "responded with a status of 40" not in each] == []


@pytest.mark.parametrize("target", PAGES)
def test_page_fits_a_phone_and_each_thing_has_a_name(
    target: str, browser: webdriver.Chrome, web: Web
) -> None:
    browser.get(web.url + target)
    for width in (320, 390, 768, 1280):
        resize(browser, width, 800)
        assert browser.execute_script(_WIDE) <= 0, width
    assert browser.execute_script(_UNNAMED) == []
    levels = browser.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for landmark in ("header", "nav", "main", "footer"):
        assert browser.find_elements("css selector", landmark)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_menu_is_one_line_on_a_phone(language: str, browser: webdriver.Chrome, web: Web) -> None:
    resize(browser, 390, 800)
    browser.get(f"{web.url}/?lang={language}")
    lines = (
        "return new Set([...document.querySelectorAll('.top nav a')].map(a => a.offsetTop)).size"
    )
    assert browser.execute_script(lines) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("target", PAGES)
def test_text_stands_out_from_what_is_behind_it(
    target: str, scheme: str, browser: webdriver.Chrome, web: Web
) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    resize(browser, 1280, 900)
    browser.get(web.url + target)
    assert browser.execute_script(_PALE) == []


def test_nothing_of_a_foe_runs(
    browser: webdriver.Chrome, web: Web, told: Callable[[], list[str]]
) -> None:
    for path in ("/article", "/history", "/record"):
        browser.get(f"{web.url}{path}?" + urlencode({"url": FOE}))
        assert browser.title != "owned"
    browser.get(f"{web.url}/article?" + urlencode({"url": FOE}))
    for link in browser.find_elements("css selector", ".text a:not([href]), .text p"):
        browser.execute_script("arguments[0].click()", link)
    assert browser.title != "owned"
    for query in (
        '"><script>document.title="owned"</script>',
        "'\"><img src=x onerror=document.title='owned'>",
    ):
        browser.get(f"{web.url}/?" + urlencode({"q": query, "tag": query}))
        assert browser.title != "owned"
        assert not browser.find_elements("css selector", "script, img[onerror]")
    # If a script had been inserted, the policy would have reported it.
    assert not [each for each in told() if "Content Security Policy" in each]


def follow(browser: webdriver.Chrome, by: str, what: str) -> None:
    """Click and wait for the next page."""
    left = browser.find_element("tag name", "html")
    browser.find_element(by, what).click()
    WebDriverWait(browser, 20).until(staleness_of(left))
    WebDriverWait(browser, 20).until(lambda each: each.find_elements("tag name", "footer"))


def test_all_of_it_works_without_javascript(plain: webdriver.Chrome, web: Web) -> None:
    plain.get("data:text/html,<title>off</title><script>document.title='on'</script>")
    assert plain.title == "off"
    plain.get(web.url)
    plain.find_element("name", "q").send_keys("环保督察")
    plain.find_element("css selector", "summary").click()
    plain.find_element("css selector", "#tag").send_keys("生态文明")
    follow(plain, "css selector", ".words button")
    follow(plain, "css selector", "h3 a")
    assert "环境保护督察" in plain.find_element("tag name", "h1").text
    follow(plain, "link text", "修订")
    assert plain.find_elements("css selector", "ins")
    follow(plain, "link text", "原件")
    assert "<!DOCTYPE html>" in plain.find_element("tag name", "pre").text
    follow(plain, "link text", "栏目")
    follow(plain, "css selector", "a[aria-label='浙江宣传的日历']")
    year = plain.find_element("id", "year")
    year.find_element("css selector", "option:last-child").click()
    follow(plain, "css selector", ".pick button")
    follow(plain, "css selector", "a.cell")
    assert plain.find_elements("css selector", ".result")
    follow(plain, "link text", "运行状况")
    assert plain.find_elements("css selector", ".verdict")
    follow(plain, "link text", "最近变动")
    follow(plain, "css selector", "a.flag")
    assert plain.find_elements("css selector", ".versions")


def test_the_language_stays_without_javascript_and_cookies(
    plain: webdriver.Chrome, web: Web
) -> None:
    def language() -> str:
        return str(plain.find_element("tag name", "html").get_attribute("lang"))

    plain.get(web.url)
    assert language() == "zh-CN"
    follow(plain, "link text", "English")
    plain.find_element("name", "q").send_keys("环保督察")
    follow(plain, "css selector", ".words button")
    assert language() == "en"
    follow(plain, "css selector", "h3 a")
    follow(plain, "link text", "Versions")
    follow(plain, "link text", "Calendar")
    follow(plain, "css selector", ".pick button")
    assert language() == "en"
    assert plain.get_cookies() == []
    follow(plain, "link text", "中文")
    assert language() == "zh-CN"


def test_from_the_top_to_an_article_by_keys_alone(browser: webdriver.Chrome, web: Web) -> None:
    resize(browser, 1280, 900)
    browser.get(web.url)

    def key(*keys: str) -> None:
        browser.switch_to.active_element.send_keys(*keys)

    def focused(script: str) -> object:
        return browser.execute_script(f"return document.activeElement.{script}")

    def titled(words: str) -> None:
        WebDriverWait(browser, 20).until(lambda _: browser.title.startswith(words))

    assert focused("id") == "q"  # the front page begins with it
    key("环保督察", Keys.ENTER)
    titled("环保督察")
    key(Keys.TAB)
    assert focused("className") == "skip"
    style = "return getComputedStyle(document.activeElement).outlineStyle"
    for _ in range(8):  # the name, five pages, the language, the box
        key(Keys.TAB)
        assert browser.execute_script(style) == "solid"
    assert focused("id") == "q"
    while focused("closest('h3')") is None:
        key(Keys.TAB)
    key(Keys.ENTER)
    titled("全力保障")
    browser.find_element("css selector", "body").send_keys(Keys.TAB, Keys.ENTER)
    assert focused("id") == "content"


def test_printed_article_is_the_article(
    browser: webdriver.Chrome, web: Web, archive: Archive, tmp_path: Path
) -> None:
    browser.get(web.url + "/article?" + urlencode({"url": REFERENCE}))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        seen = "return [...document.querySelectorAll(arguments[0])].some(e => e.checkVisibility())"
        assert browser.execute_script(seen, ".story h1, .text p")
        assert not browser.execute_script(seen, ".top, .tabs, .skip")
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
