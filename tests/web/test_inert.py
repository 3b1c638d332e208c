"""Hostile archived pages stay inert: nothing runs, nothing is loaded from elsewhere, nothing is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from lxml import html

from tests.pipelines.test_images import PNG
from tests.support.captures import HTML, Headers, Taken, write
from tests.web.browser import BROWSER, DRIVER, MISSING, chromium
from tests.web.serving import Web, browsing
from zjolcrawl.web.inert import inert_page

HOST, LIVE = "http://zjnews.zjol.com.cn", "http://live.zjol.com.cn"
RUN = f"document.title='owned';fetch('{LIVE}/fetch');new Image().src='{LIVE}/beacon'"
# What a page may try, by name. All of it points to LIVE, which must not see a connection.
TRICKS = {
    "script": f"<script>{RUN}</script><script src={LIVE}/s.js></script><script type=module src={LIVE}/m.js></script>",
    "speculation": f'<script type=speculationrules>{{"prerender":[{{"urls":["{LIVE}/pre"]}}]}}</script>',
    "onload": f'<img src={LIVE}/i.png onerror="{RUN}"><body onload="{RUN}"><details open ontoggle="{RUN}">x</details>',
    "refresh": f'<meta http-equiv=refresh content="0;url={LIVE}/refresh">',
    "javascript refresh": f'<meta http-equiv=refresh content="0;url=javascript:{RUN}">',
    "base": f'<base href={LIVE}/base/><img src=x.png><a href=y id=click>y</a>',
    "iframe": f'<iframe src={LIVE}/frame></iframe><iframe srcdoc="<script>{RUN}</script>"></iframe><iframe src="javascript:{RUN}">',
    "frameset": f"<frameset><frame src={LIVE}/f></frameset>",
    "form": f'<form action={LIVE}/form><input type=image src={LIVE}/b.png><button id=click>go</button></form>',
    "formaction": f'<form><input name=q value=1><button id=click formaction={LIVE}/fa formmethod=post>go</button></form>',
    "svg": f'<svg onload="{RUN}"><script>{RUN}</script><image href={LIVE}/s.png /><use href={LIVE}/u.svg#a /></svg>',
    "math": f'<math><mtext><style><img src={LIVE}/x onerror="{RUN}"></style></mtext></math>',
    "javascript link": f'<a id=click href="javascript:{RUN}">x</a>',
    "spelled link": f'<a id=click href=" java&#10;script:{RUN}">x</a>',
    "data link": f'<a id=click href="data:text/html,<script>{RUN}</script>">x</a>',
    "ping": f'<a id=click href="#top" ping={LIVE}/ping>x</a>',
    "target": f'<a id=click target=_blank rel=opener href={LIVE}/window>x</a>',
    "download": f'<a id=click download href={LIVE}/file.exe>x</a>',
    "object": f'<object data={LIVE}/o></object><embed src={LIVE}/e><applet code={LIVE}/a></applet>',
    "worker": f"<script>navigator.serviceWorker.register('/web/2017id_/{HOST}/sw.js')</script>",
    "style": f"<style>@import url({LIVE}/i.css);body{{background:url({LIVE}/bg.png)}}@font-face{{font-family:a;src:url({LIVE}/f)}}*{{font-family:a}}</style>",
    "style attribute": f'<p style="background:url({LIVE}/p.png);list-style:url({LIVE}/l.png)">x</p><table background={LIVE}/t.png><tr><td>x',
    "stylesheet": f"<link rel=stylesheet href={LIVE}/s.css><link rel=icon href={LIVE}/icon><link rel=manifest href={LIVE}/m>",
    "preload": f"<link rel=preload as=image href={LIVE}/p><link rel=prefetch href={LIVE}/p2><link rel=modulepreload href={LIVE}/p3>",
    "preconnect": f"<link rel=preconnect href={LIVE}><link rel=dns-prefetch href={LIVE}><link rel=prerender href={LIVE}/p4>",
    "media": f"<video src={LIVE}/v poster={LIVE}/vp autoplay></video><audio src={LIVE}/a autoplay></audio><picture><source srcset={LIVE}/ps><img srcset='{LIVE}/is 2x'></picture>",
    "noscript": f'<noscript><p title="</noscript><img src={LIVE}/n onerror=\'{RUN}\'>"></noscript>',
    "comment": f"<!--><img src={LIVE}/c onerror=\"{RUN}\">--><![CDATA[<script>{RUN}</script>]]>",
    "textarea": f"<textarea></textarea><script>{RUN}</script></textarea><title><script>{RUN}</script></title>",
    "template": f"<template><script>{RUN}</script></template><xmp><script>{RUN}</script></xmp><plaintext><script>{RUN}</script>",
    "entities": f"&lt;script&gt;{RUN}&lt;/script&gt;<p title='&quot;><script>{RUN}</script>'>x",
    "import": f"<link rel=import href={LIVE}/i><?xml-stylesheet href='{LIVE}/x.xsl'?><xml src={LIVE}/x>",
}  # fmt: skip
KINDS: dict[str, tuple[Headers, bytes]] = {
    "svg file": ((("Content-Type", "image/svg+xml"),), f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"{RUN}\"><script>{RUN}</script><image href='{LIVE}/i'/></svg>".encode()),
    "xml file": ((("Content-Type", "application/xml"),), f"<?xml-stylesheet type='text/xsl' href='{LIVE}/x.xsl'?><h:script xmlns:h='http://www.w3.org/1999/xhtml'>{RUN}</h:script>".encode()),
    "xhtml": ((("Content-Type", "application/xhtml+xml"),), f"<html xmlns='http://www.w3.org/1999/xhtml'><script>{RUN}</script><img src='{LIVE}/i'/></html>".encode()),
    "javascript": ((("Content-Type", "text/javascript"),), RUN.encode()),
    "no type": ((), f"<script>{RUN}</script><img src={LIVE}/i>".encode()),
    "image that is a page": ((("Content-Type", "image/png"),), f"<script>{RUN}</script><img src={LIVE}/i>".encode()),
    "headers": ((*HTML, ("Refresh", f"0;url={LIVE}/r"), ("Link", f"<{LIVE}/l.css>; rel=stylesheet, <{LIVE}>; rel=preconnect"),
                 ("Set-Cookie", "a=b"), ("Content-Security-Policy", "default-src *"), ("Access-Control-Allow-Origin", "*"),
                 ("Location", f"{LIVE}/where")), b"<p>x</p>"),
    "redirect": ((*HTML, ("Location", f"{LIVE}/where")), b""),
}  # fmt: skip
AT = "2017-08-12T03:45:12Z"


def hostile() -> dict[str, Taken]:
    """The captures by name of the trick."""
    made = {
        name: Taken(f"{HOST}/t{number}.shtml", AT, f"<html><title>kept</title>{trick}<p id=kept>kept</p>".encode())
        for number, (name, trick) in enumerate(TRICKS.items())
    }  # fmt: skip
    for number, (name, (headers, body)) in enumerate(KINDS.items(), 100):
        status = 302 if name == "redirect" else 200
        made[name] = Taken(f"{HOST}/t{number}.shtml", AT, body, status, headers)
    return made


MADE = hostile()
PICTURE = Taken(
    f"{HOST}/pics/a.png", "2017-08-12T03:45:13Z", PNG, headers=(("Content-Type", "image/png"),)
)
PICTURED = Taken(
    f"{HOST}/pictured.shtml", AT,
    f"<title>t</title><p>文字</p><img src=/pics/a.png alt=甲><img src={LIVE}/none.png alt=乙>".encode(),
)  # fmt: skip

# 200 kB that is no real image, and a page that shows it a thousand times.
LARGE = Taken(
    f"{HOST}/pics/large.png", AT, PNG + b"\0" * 200_000, headers=(("Content-Type", "image/png"),)
)
CROWDED = Taken(f"{HOST}/crowded.shtml", AT, b"<img src=/pics/large.png>" * 1000)
TAGGED = Taken(f"{HOST}/tagged.shtml", AT, b"<i>x</i>" * 110_000)


class Live(ThreadingHTTPServer):
    """The live site: notes every connection and request, and answers /control with a page that is not inert."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def verify_request(self, request: object, client_address: object) -> bool:
        self.seen.append("a connection")
        return True


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        if self.path == "/control":
            self.wfile.write(
                f"<img src={LIVE}/seen.png><script>document.title='ran'</script>".encode()
            )

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with Live() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def web(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    data = tmp_path_factory.mktemp("hostile")
    write(data, [*MADE.values(), PICTURE, PICTURED, LARGE, CROWDED, TAGGED])
    with browsing(data, mongodb_uri, "test_inert") as (web, _):
        yield web


@pytest.fixture(scope="module")
def browser(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    if not (BROWSER and DRIVER):
        pytest.skip(MISSING)
    rules = f"--host-resolver-rules=MAP *.zjol.com.cn 127.0.0.1:{live.server_port}"
    with chromium(tmp_path_factory.mktemp("profile"), rules) as driver:
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "deny"})
        yield driver


@pytest.fixture
def quiet(browser: object, live: Live) -> Live:
    """The live site, before anything asks it."""
    browser.get("about:blank")
    time.sleep(0.1)
    live.seen.clear()
    return live


@pytest.mark.browser
def test_live_site_would_be_seen(browser: object, quiet: Live) -> None:
    """Otherwise the tests below would prove nothing."""
    browser.get(f"http://127.0.0.1:{quiet.server_port}/control")
    assert browser.title == "ran"
    assert "/seen.png" in quiet.seen


@pytest.mark.browser
@pytest.mark.parametrize("name", MADE)
def test_hostile_page_is_inert(name: str, browser: object, web: Web, quiet: Live) -> None:
    browser.get(f"{web.url}/web/{MADE[name].stamp}/{MADE[name].url}")
    for link in browser.find_elements("css selector", "main a, main button, #click"):
        browser.execute_script("arguments[0].click()", link)
    inert(browser, web, quiet)


@pytest.mark.browser
def test_bytes_of_hostile_pages_are_not_shown(browser: object, web: Web, quiet: Live) -> None:
    for taken in MADE.values():
        browser.get(f"{web.url}/web/{taken.stamp}id_/{taken.url}")
        assert not browser.find_elements("css selector", "#kept, #click"), taken
        assert browser.title != "owned", taken
    inert(browser, web, quiet)


def inert(browser: object, web: Web, live: Live) -> None:
    """Nothing has run, and the live site has not been asked."""
    time.sleep(0.2)  # for what would come late
    assert live.seen == []
    assert browser.title != "owned"
    assert browser.current_url.startswith((web.url, "about:blank"))
    assert len(browser.window_handles) == 1
    assert browser.get_cookies() == []


@pytest.mark.browser
def test_inert_page_has_its_text_and_images(browser: object, web: Web, quiet: Live) -> None:
    browser.get(f"{web.url}/web/{PICTURED.stamp}/{PICTURED.url}")
    assert "存档网页" in browser.find_element("id", "archive").text
    assert "文字" in browser.find_element("id", "archived").text
    assert "[图片未存] 乙" in browser.find_element("id", "archived").text
    script = "return [...document.images].map(i => [i.alt, i.complete && i.naturalWidth > 0])"
    assert browser.execute_script(script) == [["甲", True]]
    assert quiet.seen == []


@pytest.mark.parametrize("name", MADE)
def test_answer_has_a_sandbox_and_only_safe_elements(name: str, web: Web) -> None:
    taken = MADE[name]
    for modifier in ("", "id_"):
        got = web.raw(f"/web/{taken.stamp}{modifier}/{taken.url}")
        policy = got.headers["content-security-policy"].split("; ")
        assert policy[:2] == ["sandbox", "default-src 'none'"]
        assert set(policy[2:]) <= {
            "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "img-src data:", "style-src 'unsafe-inline'",
        }  # fmt: skip
        assert got.headers["x-content-type-options"] == "nosniff"
        assert not {"refresh", "set-cookie", "access-control-allow-origin"} & got.headers.keys()
        assert got.headers.get("location", "/web/").startswith("/web/")
        assert LIVE not in got.headers["link"]
        if modifier == "" and got.headers["content-type"].startswith("text/html"):
            safe(got.text, web)


def safe(text: str, web: Web) -> None:
    root = html.fromstring(text)
    found = {each.tag for each in root.iter() if isinstance(each.tag, str)}
    assert not found & {
        "script",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "button",
        "svg",
        "math",
        "link",
        "base",
        "video",
    }
    assert {each.get("http-equiv") for each in root.iter("meta")} == {None}
    for each in root.xpath("//@*"):
        assert not each.attrname.startswith("on") or each.attrname == "on"
        assert each.attrname not in {
            "srcset",
            "ping",
            "target",
            "background",
            "formaction",
            "poster",
            "classid",
        }
        if each.attrname in {"href", "src"}:
            assert each.startswith(("/web/", "/article?", "data:image/png;base64,"))
        if each.attrname == "style":
            assert "url" not in each


def test_image_of_the_archive_by_its_own_address(web: Web) -> None:
    got = web.raw(f"/web/{PICTURE.stamp}im_/{PICTURE.url}")
    assert (got.status, got.headers["content-type"], got.body) == (200, "image/png", PNG)
    assert web.raw(f"/web/{PICTURED.stamp}im_/{PICTURED.url}").status == 404
    assert web.raw(f"/web/{PICTURE.stamp}/{PICTURE.url}").body == PNG


@pytest.mark.parametrize(
    "markup",
    ["<div>" * 50_000, "<a href=x>" * 30_000, "<li><ul>" * 30_000, "<b><p>" * 30_000, "<table>" * 50_000,
     "<p style='" + "color:red;" * 50_000 + "'>", "<p " + " ".join(f"a{n}=1" for n in range(30_000)) + ">",
     "&amp;" * 100_000, "<p title='" + "x" * 400_000, "<!--" * 100_000, "\0" * 1000 + "<p>x", "<?" * 50_000],
)  # fmt: skip
def test_any_markup_becomes_safe_markup(markup: str) -> None:
    page = inert_page(
        markup.encode(), f"{HOST}/x.shtml", lambda url: f"/web/1/{url}", lambda _: None
    )
    assert "\0" not in page.body
    assert len(page.body) < 12 * len(markup) + 1000


@pytest.mark.parametrize(
    "markup", [f"<base href='{HOST}/{'x' * 1900}/'>" + "<a href=y>" * 60_000, "<img src=a.png>" * 60_000]
)  # fmt: skip
def test_small_page_does_not_become_a_huge_one(markup: str) -> None:
    page = inert_page(
        markup.encode(),
        f"{HOST}/x.shtml",
        lambda url: f"/web/1/{url}",
        lambda _: "data:" + "x" * 10_000,
    )
    assert page.cut
    assert len(page.body) < 30_000_000


def test_image_shown_often_counts_each_time(web: Web) -> None:
    got = web.raw(f"/web/{CROWDED.stamp}/{CROWDED.url}")
    assert got.status == 200
    assert 10 < got.text.count("data:image/png;base64,") < 1000
    assert "[图片未存]" in got.text
    assert len(got.body) < 20_000_000


def test_page_with_too_many_tags_is_named_not_shown(web: Web) -> None:
    got = web.raw(f"/web/{TAGGED.stamp}/{TAGGED.url}")
    assert got.status == 200
    assert "网页的标记太多，没有显示" in got.text
    assert "<i>" not in got.text
    assert web.raw(f"/web/{TAGGED.stamp}id_/{TAGGED.url}").body == TAGGED.body
