"""Messages: reasons without error numbers, and no part of a password."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Callable
from pathlib import Path
from pprint import pformat

import pytest
from scrapy.settings import Settings

from tests.support.crawling import scrapy
from zjolcrawl.archive.s3 import store_of
from zjolcrawl.messages import (
    HiddenUri,
    cause_of,
    hide_passwords,
    login_of,
    split_login,
    without_password,
    without_stack,
)
from zjolcrawl.run.alerts import send
from zjolcrawl.run.log_file import begin, end
from zjolcrawl.run.summary import RunSummary
from zjolcrawl.storage.errors import StoreUnavailable, unavailable

PASSWORDS = ["geheim", "p@geheim", "ge:heim", "geh/eim", "ge%heim", "ge%40heim", "a@b:c@geheim", "geh#eim",
             "ge?heim", "[geheim]", "ge heim", "密码geheim"]  # fmt: skip
PARTS = ("geh", "heim", "eim", "a@b", "密码")


def is_hidden(text: str) -> bool:
    return not any(part in text for part in PARTS)


@pytest.mark.parametrize("password", PASSWORDS)
def test_uri_loses_its_login_and_keeps_host_and_database(password: str) -> None:
    for scheme in ("mongodb", "mongodb+srv"):
        uri = f"{scheme}://desk:{password}@db1.example:27017,db2.example/zjol?authSource=admin"
        assert without_password(uri) == f"{scheme}://db1.example:27017,db2.example/zjol"
    assert login_of(f"mongodb://desk:{password}@db.example/")[0] == "desk"


@pytest.mark.parametrize("password", PASSWORDS)
def test_error_of_a_uri_shows_no_part_of_the_password(password: str) -> None:
    from pymongo import MongoClient

    uri = f"mongodb://desk:{password}@127.0.0.1:1/zjol"
    try:
        MongoClient(uri, connect=False)
        error: Exception = ValueError(f"cannot parse {password}")
    except Exception as raised:
        error = raised
    told = unavailable(uri, error)
    assert isinstance(told, StoreUnavailable)
    assert is_hidden(str(told)), told
    assert "127.0.0.1:1" in str(told)


@pytest.mark.parametrize("password", [each for each in PASSWORDS if " " not in each])
def test_text_with_uris(password: str) -> None:
    text = f"tried mongodb://desk:{password}@db.example/zjol, then stopped"
    assert hide_passwords(text) == "tried mongodb://db.example/zjol, then stopped"
    assert is_hidden(pformat({"MONGODB_URI": HiddenUri(f"mongodb://desk:{password}@db.example/")}))


def test_addresses_of_pages_stay_as_they_are() -> None:
    for text in (
        "http://news.example/@desk/a.html failed",
        "https://news.example/x?to=a@b.example",
        "a@b.example wrote to http://news.example",
        "mongodb://db.example/zjol",
    ):
        assert hide_passwords(text) == text
    assert hide_passwords("ftp://u:p@x:y@files.example/a") == "ftp://files.example/a"
    assert without_password("mongodb://desk:geheim") == "mongodb://desk"
    assert without_password("desk:geheim@db.example") == "db.example"
    assert without_password("mongodb://[::1]:27017/?x") == "mongodb://[::1]:27017/"


def test_log_file_and_runs(tmp_path: Path) -> None:
    handler = begin(tmp_path)
    logging.getLogger("zjolcrawl").warning("no answer of %s", "mongodb://desk:ge@heim@db.example/")
    end(handler)
    assert is_hidden((tmp_path / "logs" / "zjolcrawl.log").read_text())
    from collections import Counter

    summary = RunSummary(
        "finished", 1, Counter(), warnings=["https://desk:geheim@hooks.example/x failed"]
    )
    assert is_hidden(str(summary.values()))


@pytest.mark.parametrize("password", PASSWORDS)
def test_webhook_and_store(password: str) -> None:
    settings = Settings({"ALARM_WEBHOOK": f"http://desk:{password}@127.0.0.1:1/x"})
    (fault,) = send(settings, "", [])
    assert fault.startswith("ALARM_WEBHOOK: ")
    assert is_hidden(fault)
    with pytest.raises(ValueError, match="WARC_STORE") as raised:
        store_of({"WARC_STORE": f"s3://key:{password}@bucket/warc"}.get)
    assert is_hidden(str(raised.value))


def test_webhook_with_a_login() -> None:
    assert split_login("https://u:p@h/x@y") == ("u:p", "https://h/x@y")
    assert split_login("https://h/x@y") == ("", "https://h/x@y")


def test_reasons_are_words(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(OSError, match="Errno") as raised:
        missing.open()
    assert cause_of(raised.value, missing) == "No such file or directory"
    assert cause_of(raised.value) == f"No such file or directory: {missing}"
    assert cause_of(OSError("the store is full")) == "the store is full"
    assert cause_of(RuntimeError("x: [Errno 28] No space left")) == "x: No space left"
    assert cause_of(ValueError()) == "ValueError"
    with pytest.raises(UnicodeDecodeError) as undecodable:
        b"ab\xff".decode()
    assert cause_of(undecodable.value) == "not UTF-8 text (byte 2)"


PAGE = "url=http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"


@pytest.mark.parametrize(
    "arguments",
    [
        ["columns", "-s", "SITE_FILE={0}/none.toml"],
        ["columns", "--pidfile", "{0}/none/x"],
        ["crawl", "article", "-a", "file={0}/none.txt"],
        ["crawl", "article", "-a", "file={0}"],
        ["crawl", "article", "-a", PAGE, "--logfile", "{0}/none/x.log"],
        ["crawl", "article", "-a", PAGE, "-s", "LOG_FILE={0}"],
        ["crawl", "article", "-a", PAGE, "-s", "DATA_DIR={0}/file"],
        ["crawl", "article", "-a", PAGE, "-s", "DATA_DIR={0}/file/below"],
        ["runs", "-s", "DATA_DIR={0}/file"],
        ["search", "x", "-s", "DATA_DIR={0}/file"],
        ["mongo", "-s", "DATA_DIR={0}/file/below"],
        ["import", "{0}/none.jsonl"],
        ["import", "{0}"],
        ["import", "{0}/file", "-s", "DATA_DIR={0}/file"],
        ["verify", "-s", "DATA_DIR={0}/file"],
    ],
)
def test_path_that_cannot_be_used_is_named_without_an_error_number(
    arguments: list[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    given = [each.format(tmp_path) for each in arguments]
    done = scrapy(*given, data=tmp_path / "data")
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 2, done.stderr
    assert str(tmp_path) in last
    assert "Errno" not in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_in_the_log_have_no_password(tmp_path: Path) -> None:
    uri = "mongodb://desk:ge%40heim@127.0.0.1:1/?serverSelectionTimeoutMS=100"
    given = ("-s", "ALARM_WEBHOOK=http://desk:geheim@127.0.0.1:1/")
    log = tmp_path / "own.log"
    for options in ((), ("--logfile", str(log))):
        done = scrapy(
            "crawl", "article", "-a", PAGE, "-L", "DEBUG", *options, *given, data=tmp_path, uri=uri
        )
        assert done.returncode == 2
        assert is_hidden(done.stderr), done.stderr
    text = log.read_text()
    assert "Overridden settings" in text
    assert is_hidden(text)


class Answer:
    """Something large."""


def _fails(answer: Answer) -> None:
    raise ValueError("broken")


def _fails_and_says_why(answer: Answer) -> None:
    try:
        _fails(answer)
    except ValueError as error:
        raise OSError("not read") from error


def _fails_while_it_handles(answer: Answer) -> None:
    try:
        _fails_and_says_why(answer)
    except OSError:
        _fails(answer)


@pytest.mark.parametrize("fails", [_fails, _fails_and_says_why, _fails_while_it_handles])
def test_error_without_stack_holds_nothing(fails: Callable[[Answer], None]) -> None:
    def failed() -> tuple[BaseException, weakref.ref[Answer]]:
        answer = Answer()
        try:
            fails(answer)
        except Exception as error:
            kept = error  # refers to this frame, which refers to it
            return without_stack(kept), weakref.ref(answer)
        raise AssertionError

    gc.disable()
    try:
        error, answer = failed()
        assert answer() is None
    finally:
        gc.enable()
    assert str(error) in {"broken", "not read"}
