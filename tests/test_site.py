"""The test site itself: responses, faults on demand, and the log of requests."""

import collections
import contextlib
import gzip
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.crawling import LONG, ended, wait_until
from tests.support.site import Answer, Fault, Request, SiteProxy

HOST = "zjnews.zjol.com.cn"
ARTICLE = f"http://{HOST}/zjnews/t20170812_4774532.shtml"
PAGE = "<meta charset=gbk><p>浙江在线</p>".encode("gbk")
REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Reply:
    """A response as a client saw it."""

    status: int
    headers: Message
    body: bytes


@contextlib.contextmanager
def connect(
    proxy: SiteProxy, url: str, timeout: float = LONG
) -> Iterator[http.client.HTTPConnection]:
    """Connect to the proxy, by CONNECT and TLS for https."""
    parts, via = urlsplit(url), urlsplit(proxy.url)
    connection = http.client.HTTPConnection("127.0.0.1", via.port, timeout=timeout)
    if parts.scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            "127.0.0.1", via.port, timeout=timeout, context=context
        )
        connection.set_tunnel(parts.hostname or "", parts.port or 443)
    with contextlib.closing(connection):
        yield connection


def exchange(
    connection: http.client.HTTPConnection,
    url: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """One request and its response on an open connection."""
    parts = urlsplit(url)
    target = url if parts.scheme == "http" else parts.path
    connection.request(method, target, body, {"Host": parts.netloc, **(headers or {})})
    with connection.getresponse() as response:
        return Reply(response.status, response.msg, response.read())


def get(
    proxy: SiteProxy,
    url: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = LONG,
) -> Reply:
    """One request on a new connection."""
    with connect(proxy, url, timeout) as connection:
        return exchange(connection, url, method, headers, body)


def wait_for_requests(proxy: SiteProxy, count: int) -> None:
    """Waits until this many requests have arrived; fails otherwise."""
    wait_until(lambda: len(proxy.requests) >= count)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays of the test site, which are skipped."""
    times: list[float] = []

    async def sleep(seconds: float) -> None:
        times.append(seconds)

    for module in ("proxy", "writing"):
        monkeypatch.setattr(f"tests.support.site.{module}.sleep", sleep)
    return times


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Fixtures: one article with and one without a sidecar, an index and an image."""
    folder = tmp_path / "web" / HOST / "zjnews"
    folder.mkdir(parents=True)
    (folder / "t20170812_4774532.shtml").write_bytes(PAGE)
    (folder / "utf8.html").write_text("页面", encoding="utf-8")
    (folder / "utf8.html.json").write_text(
        json.dumps({"headers": {"Content-Type": "text/html; charset=utf-8", "X-Via": "1"}})
    )
    (folder / "index.shtml").write_bytes(b"index")
    (folder / "page.html").write_bytes(b"first page")
    (folder / "page.html?p=2").write_bytes(b"second page")
    (folder / "W020.jpg").write_bytes(b"\xff\xd8")
    (folder / "api.json").write_bytes(b"{}")
    (tmp_path / "secret.html").write_bytes(b"secret")
    return tmp_path / "web"


@pytest.fixture
def proxy(root: Path) -> Iterator[SiteProxy]:
    with SiteProxy(root) as proxy:
        yield proxy


@pytest.fixture(params=["http", "https"])
def article(request: pytest.FixtureRequest) -> str:
    """URL of the article, in both schemes."""
    return ARTICLE.replace("http", request.param, 1)


# --- pages ---------------------------------------------------------------------------------------


def test_serves_the_bytes_of_a_page_under_its_real_url(proxy: SiteProxy, article: str) -> None:
    reply = get(proxy, article)
    assert (reply.status, reply.body) == (200, PAGE)
    assert reply.headers["Content-Type"] == "text/html"
    assert reply.headers["Content-Length"] == str(len(PAGE))


@pytest.mark.parametrize(
    ("path", "status", "body", "kind"),
    [
        ("/zjnews/", 200, b"index", "text/html"),
        ("/zjnews", 200, b"index", "text/html"),
        ("/zjnews/?from=home", 200, b"index", "text/html"),
        ("/zjnews/W020.jpg", 200, b"\xff\xd8", "image/jpeg"),
        ("/zjnews/%57020.jpg", 200, b"\xff\xd8", "image/jpeg"),
        ("/zjnews/api.json", 200, b"{}", "application/json"),
        ("/zjnews/page.html?p=2", 200, b"second page", "text/html"),
        ("/zjnews/page.html?p=3", 200, b"first page", "text/html"),
        ("/zjnews//page.html", 200, b"first page", "text/html"),
        ("/zjnews/utf8.html", 200, "页面".encode(), "text/html; charset=utf-8"),
        ("/zjnews/utf8.html.json", 404, None, "text/html"),
        ("/zjnews/none.html", 404, None, "text/html"),
        ("/zjnews/page.html/", 404, None, "text/html"),
        ("/", 404, None, "text/html"),
    ],
)
def test_path_names_a_file(
    proxy: SiteProxy, path: str, status: int, body: bytes | None, kind: str
) -> None:
    reply = get(proxy, f"http://{HOST}{path}")
    assert (reply.status, reply.headers["Content-Type"]) == (status, kind)
    if body is not None:
        assert reply.body == body


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/../../secret.html",
        f"http://{HOST}/%2e%2e/%2e%2e/secret.html",
        f"http://{HOST}/..%2f..%2fsecret.html",
        f"http://{HOST}/zjnews/..%5c..%5csecret.html",
        f"http://{HOST}/%00",
        "http://../secret.html",
        "http://./../secret.html",
    ],
)
def test_nothing_outside_the_root_is_served(proxy: SiteProxy, url: str) -> None:
    assert get(proxy, url).status == 404


def test_a_symbolic_link_leads_to_another_host_but_not_out(proxy: SiteProxy, root: Path) -> None:
    (root / "www.zjol.com.cn").symlink_to(root / HOST)
    (root / HOST / "out.html").symlink_to(root.parent / "secret.html")
    assert get(proxy, "http://www.zjol.com.cn/zjnews/").body == b"index"
    assert get(proxy, f"http://{HOST}/out.html").status == 404


def test_sidecar_sets_status_and_headers(proxy: SiteProxy, root: Path) -> None:
    sidecar = {"status": 410, "headers": {"ETag": None, "Content-Length": "999"}}
    (root / HOST / "zjnews/t20170812_4774532.shtml.json").write_text(json.dumps(sidecar))
    reply = get(proxy, ARTICLE)
    assert (reply.status, reply.body, reply.headers["ETag"]) == (410, PAGE, None)


def test_first_root_wins(root: Path, tmp_path: Path) -> None:
    over = tmp_path / "over" / HOST / "zjnews"
    over.mkdir(parents=True)
    (over / "page.html").write_bytes(b"newer")
    with SiteProxy([tmp_path / "over", root]) as proxy:
        assert get(proxy, f"http://{HOST}/zjnews/page.html").body == b"newer"
        assert get(proxy, ARTICLE).body == PAGE


def test_head_has_the_headers_of_get_and_no_body(proxy: SiteProxy, article: str) -> None:
    with connect(proxy, article) as connection:
        head = exchange(connection, article, "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len(PAGE))
        assert exchange(connection, article).body == PAGE


def test_connection_serves_many_requests(proxy: SiteProxy, article: str) -> None:
    with connect(proxy, article) as connection:
        exchange(connection, article)
        opened = connection.sock
        assert exchange(connection, article.replace("t20170812_4774532", "none")).status == 404
        assert exchange(connection, article).body == PAGE
        assert connection.sock is opened is not None


def test_http_1_0_closes(proxy: SiteProxy) -> None:
    proxy.set(ARTICLE, Answer(body=PAGE, chunked=True))
    via = urlsplit(proxy.url)
    with socket.create_connection(("127.0.0.1", via.port or 0), timeout=LONG) as connection:
        connection.sendall(f"GET {ARTICLE} HTTP/1.0\r\n\r\n".encode())
        with connection.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert body == PAGE


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"GET ftp://a/ HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nx\r\n\r\n"]
)
def test_nonsense_is_a_bad_request(proxy: SiteProxy, sent: bytes) -> None:
    via = urlsplit(proxy.url)
    with socket.create_connection(("127.0.0.1", via.port or 0), timeout=LONG) as connection:
        connection.sendall(sent)
        with connection.makefile("rb") as stream:
            assert stream.read().startswith(b"HTTP/1.1 400 ")


# --- conditional GET -----------------------------------------------------------------------------


def test_validators_of_an_unchanged_file_give_304(proxy: SiteProxy, article: str) -> None:
    with connect(proxy, article) as connection:
        first = exchange(connection, article)
        etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
        for headers in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
            reply = exchange(connection, article, headers=headers)
            assert (reply.status, reply.body) == (304, b"")
            assert reply.headers["ETag"] == etag
            assert reply.headers["Content-Type"] is None


def test_a_changed_file_is_sent_anew(proxy: SiteProxy, root: Path) -> None:
    first = get(proxy, ARTICLE)
    (root / HOST / "zjnews/t20170812_4774532.shtml").write_bytes(b"changed")
    # Only If-None-Match counts: the date has changed by less than a second.
    validators = {
        "If-None-Match": first.headers["ETag"],
        "If-Modified-Since": first.headers["Last-Modified"],
    }
    assert get(proxy, ARTICLE, headers=validators).body == b"changed"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": "*"}, 304),
    ],
)
def test_other_validators(proxy: SiteProxy, headers: dict[str, str], status: int) -> None:
    assert get(proxy, ARTICLE, headers=headers).status == status


# --- responses set by a test ---------------------------------------------------------------------


def test_set_unset_clear(proxy: SiteProxy, article: str) -> None:
    answer = Answer(503, {"Retry-After": "1", "content-type": None}, "忙".encode())
    proxy.set(article, answer)
    reply = get(proxy, article)
    assert (reply.status, reply.body) == (503, "忙".encode())
    assert (reply.headers["Retry-After"], reply.headers["Content-Type"]) == ("1", None)
    proxy.unset(article)
    assert get(proxy, article).status == 200
    proxy.set(article, answer)
    proxy.clear()
    assert get(proxy, article).status == 200


def test_override_is_of_the_exact_url(proxy: SiteProxy) -> None:
    proxy.set(f"HTTP://{HOST.upper()}:80/zjnews/?p=1#top", Answer(body=b"set"))
    assert get(proxy, f"http://{HOST}/zjnews/?p=1").body == b"set"
    assert get(proxy, f"http://{HOST}/zjnews/").body == b"index"
    assert get(proxy, f"https://{HOST}/zjnews/").body == b"index"


def test_sequence_is_used_up_and_its_last_answer_stays(proxy: SiteProxy) -> None:
    proxy.set(ARTICLE, [Answer(500), Answer(429), Answer(body=b"at last")])
    assert [get(proxy, ARTICLE).status for _ in range(4)] == [500, 429, 200, 200]


def test_responder_sees_the_request(proxy: SiteProxy, article: str) -> None:
    def echo(request: Request) -> Answer:
        text = f"{request.method} {request.url} {request.headers['x-test']}"
        return Answer(201, body=text.encode() + b" " + request.body)

    proxy.set(article, echo)
    reply = get(proxy, article, "POST", {"X-Test": "1"}, b"sent")
    assert (reply.status, reply.body) == (201, f"POST {article} 1 sent".encode())


def test_broken_responder_shows_its_error(proxy: SiteProxy) -> None:
    proxy.set(ARTICLE, lambda request: Answer(body=b"%d" % (1 // len(request.body))))
    reply = get(proxy, ARTICLE)
    assert reply.status == 500
    assert b"ZeroDivisionError" in reply.body


def test_an_override_that_cannot_answer_is_refused(proxy: SiteProxy) -> None:
    with pytest.raises(ValueError, match="empty sequence"):
        proxy.set(ARTICLE, [])
    with pytest.raises(ValueError, match="not an absolute"):
        proxy.set("/zjnews/", Answer())


def test_gzip_of_one_answer_is_unconditional(proxy: SiteProxy) -> None:
    proxy.set(ARTICLE, Answer(body=PAGE, gzip=True))
    reply = get(proxy, ARTICLE, headers={"Accept-Encoding": "identity"})
    assert reply.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(reply.body) == PAGE


def test_gzip_of_all_texts_is_for_clients_that_accept_it(proxy: SiteProxy) -> None:
    proxy.gzip = True
    accepts = {"Accept-Encoding": "gzip, deflate"}
    assert gzip.decompress(get(proxy, ARTICLE, headers=accepts).body) == PAGE
    assert get(proxy, ARTICLE, headers={"Accept-Encoding": "identity"}).body == PAGE
    assert get(proxy, f"http://{HOST}/zjnews/W020.jpg", headers=accepts).body == b"\xff\xd8"


def test_chunked(proxy: SiteProxy, article: str) -> None:
    body = bytes(range(256)) * 1000
    proxy.set(article, Answer(body=body, chunked=True))
    with connect(proxy, article) as connection:
        for _ in range(2):
            reply = exchange(connection, article)
            assert reply.body == body
            assert reply.headers["Transfer-Encoding"] == "chunked"
            assert reply.headers["Content-Length"] is None


def test_delays_add_up(proxy: SiteProxy, slept: list[float]) -> None:
    proxy.delay = 0.1
    proxy.set(ARTICLE, Answer(delay=0.1))
    get(proxy, ARTICLE)
    assert slept == [pytest.approx(0.2)]


# --- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset", ConnectionResetError),
        ("close", http.client.RemoteDisconnected),
        ("truncate", http.client.IncompleteRead),
        ("hang", TimeoutError),
    ],
)
def test_fault(proxy: SiteProxy, article: str, fault: Fault, error: type[Exception]) -> None:
    proxy.set(article, [Answer(body=PAGE, fault=fault), Answer(body=b"well")])
    with pytest.raises(error):
        get(proxy, article, timeout=0.3 if fault == "hang" else LONG)
    assert proxy.requests[0].status == (200 if fault == "truncate" else None)
    assert get(proxy, article).body == b"well"


def test_reset_is_a_tcp_rst(proxy: SiteProxy, article: str) -> None:
    proxy.set(article, Answer(fault="reset"))
    with connect(proxy, article) as connection:
        connection.request("GET", article)
        # Below TLS: a TLS client may report a RST as the end of the stream.
        with socket.socket(fileno=connection.sock.detach()) as raw:
            raw.settimeout(LONG)
            # The server's session tickets, if any, come before the RST.
            with pytest.raises(ConnectionResetError):
                collections.deque(iter(lambda: raw.recv(65536), b""), maxlen=0)


@pytest.mark.parametrize(("body", "chunked"), [(b"", False), (PAGE, True)])
def test_truncated_in_every_framing(proxy: SiteProxy, body: bytes, chunked: bool) -> None:
    proxy.set(ARTICLE, Answer(body=body, fault="truncate", chunked=chunked))
    with pytest.raises(http.client.IncompleteRead):
        get(proxy, ARTICLE)


@pytest.mark.parametrize("chunked", [False, True])
def test_slow_sends_the_body_in_drops(
    proxy: SiteProxy, article: str, chunked: bool, slept: list[float]
) -> None:
    answer = Answer(
        body=b"12345678", fault="slow", drop_bytes=2, drop_seconds=0.05, chunked=chunked
    )
    proxy.set(article, answer)
    with connect(proxy, article) as connection:
        assert exchange(connection, article).body == b"12345678"
    wait_until(lambda: slept == [0, *[0.05] * (4 + chunked)])


def test_truncated_page_ends_in_its_middle(proxy: SiteProxy) -> None:
    proxy.set(ARTICLE, Answer(body=b"0123456789", fault="truncate"))
    with pytest.raises(http.client.IncompleteRead) as raised:
        get(proxy, ARTICLE)
    assert raised.value.partial == b"01234"


# --- the log -------------------------------------------------------------------------------------


def test_log_has_the_requests_in_order(proxy: SiteProxy) -> None:
    get(proxy, ARTICLE, headers={"User-Agent": "test"})
    get(proxy, "https://img.zjol.com.cn:443/none.jpg", "HEAD")
    first, second = proxy.requests
    assert (first.method, first.url, first.host, first.status) == ("GET", ARTICLE, HOST, 200)
    assert first.headers["user-agent"] == "test"
    assert first.time <= second.time
    assert (second.method, second.status) == ("HEAD", 404)
    assert proxy.urls() == [ARTICLE, "https://img.zjol.com.cn/none.jpg"]
    assert proxy.urls("img.zjol.com.cn") == ["https://img.zjol.com.cn/none.jpg"]
    proxy.reset_log()
    assert proxy.requests == []


def test_request_from_before_a_reset_does_not_come_back(proxy: SiteProxy) -> None:
    proxy.set(ARTICLE, Answer(delay=0.3))
    client = threading.Thread(target=get, args=(proxy, ARTICLE))
    client.start()
    wait_for_requests(proxy, 1)
    assert proxy.requests[0].status is None
    proxy.reset_log()
    client.join()
    assert proxy.requests == []


def test_many_clients_at_once(proxy: SiteProxy, article: str) -> None:
    clients = [threading.Thread(target=get, args=(proxy, article)) for _ in range(20)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert [request.status for request in proxy.requests] == [200] * 20


# --- start and stop ------------------------------------------------------------------------------


def test_stops_whoever_is_connected_and_leaves_no_thread(root: Path, article: str) -> None:
    before = threading.enumerate()
    with contextlib.ExitStack() as clients:
        with SiteProxy(root) as proxy:
            idle = clients.enter_context(connect(proxy, article))
            exchange(idle, article)
            proxy.set(article, Answer(fault="hang"))
            hanging = clients.enter_context(connect(proxy, article))
            hanging.request("GET", article)
            # A client that is still in the middle of the TLS handshake.
            silent = socket.create_connection(("127.0.0.1", urlsplit(proxy.url).port or 0))
            clients.enter_context(silent)
            silent.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
            assert silent.recv(100).startswith(b"HTTP/1.1 200 ")
            wait_for_requests(proxy, 2)
        assert threading.enumerate() == before


def test_taken_port_is_the_callers_error(proxy: SiteProxy, root: Path) -> None:
    port = urlsplit(proxy.url).port or 0
    with pytest.raises(OSError, match="in use"), SiteProxy(root, port=port):
        pass


# --- real clients --------------------------------------------------------------------------------


def test_urllib_finds_the_proxy_in_the_environment(
    proxy: SiteProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in proxy.environ.items():
        monkeypatch.setenv(name, value)
    # A separate opener, because urlopen keeps the first proxies it used.
    with urllib.request.build_opener().open(ARTICLE, timeout=LONG) as response:
        assert response.read() == PAGE
    assert proxy.urls() == [ARTICLE]


SPIDER = """
import scrapy

class TitleSpider(scrapy.Spider):
    name = "title"
    custom_settings = {"TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False}

    async def start(self):
        for scheme in ("http", "https"):
            for name in ("a", "b", "c"):
                yield scrapy.Request(f"{scheme}://www.zjol.com.cn/{name}.shtml")

    def parse(self, response):
        yield {"url": response.url, "text": response.css("p::text").get()}
"""


def test_scrapy_reads_http_and_https_without_a_setting(proxy: SiteProxy, tmp_path: Path) -> None:
    urls = [f"{s}://www.zjol.com.cn/{n}.shtml" for s in ("http", "https") for n in "abc"]
    for url in urls:
        proxy.set(url, Answer(body=PAGE))
    (tmp_path / "spider.py").write_text(SPIDER)
    command = [sys.executable, "-m", "scrapy", "runspider", "spider.py", "-o", "items.jsonl"]
    run = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | proxy.environ,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )
    items = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    assert sorted(item["url"] for item in items) == sorted(urls), run.stderr
    assert "WARNING" not in run.stderr
    assert {item["text"] for item in items} == {"浙江在线"}
    assert sorted(proxy.urls("www.zjol.com.cn")) == sorted(urls)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_it_is_told_to_stop(
    root: Path, tmp_path: Path, number: signal.Signals
) -> None:
    port_file, log = tmp_path / "port", tmp_path / "log.jsonl"
    command = [sys.executable, "-W", "error", "-m", "tests.support.site", "--root", str(root)]
    command += ["--port-file", str(port_file), "--log", str(log)]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": url}))
        with opener.open(ARTICLE, timeout=LONG) as response:
            assert response.read() == PAGE
        assert port_file.read_text().strip() == url.rpartition(":")[2]
        process.send_signal(number)
        assert ended(process) == ("", "")
    assert process.returncode == 0
    [line] = log.read_text().splitlines()
    assert (json.loads(line)["url"], json.loads(line)["status"]) == (ARTICLE, 200)
