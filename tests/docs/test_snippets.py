"""Code and files in README.md and docs/ work as printed; tests of other modules run what OTHERS names."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.request import HTTPBasicAuthHandler, HTTPPasswordMgrWithDefaultRealm, build_opener

import pytest
from pymongo import MongoClient

from tests.support import readme
from tests.support.captures import Taken, write
from tests.support.crawling import LONG, Crawl, scrapy, wait_until
from tests.support.mongod import Mongod, free_port
from tests.support.site import SiteProxy
from tests.web.serving import browsing
from zjolcrawl.fields import Field
from zjolcrawl.parsing.templates import Template
from zjolcrawl.parsing.xpath import paths
from zjolcrawl.site.catalogue import load_catalogue

REFERENCE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
TITLE = "全力保障中央环保督察开展"
# Pages and languages whose blocks other tests run, and those that this file runs.
OTHERS = {
    ("docs/how-to/api.md", "python"): "tests/web/api/test_examples.py",
    ("docs/how-to/export.md", "python"): "tests/export/test_page.py",
    ("docs/how-to/python.md", "python"): "tests/test_library.py",
    ("docs/how-to/search.md", "js"): "tests/test_readme.py",
    ("docs/how-to/watch.md", "toml"): "tests/run/test_watch_messages.py",
    ("docs/how-to/search.md", "python"): "tests/test_readme.py",
    ("docs/questions.md", "js"): "tests/test_readme.py, tests/test_questions.py",
    ("docs/questions.md", "python"): "tests/test_readme.py, tests/test_questions.py",
    ("docs/scaling.md", "js"): "tests/test_scaling.py",
    ("docs/scaling.md", "python"): "tests/test_scaling.py",
    ("README.md", "js"): "tests/test_readme.py",
    ("README.zh.md", "js"): "the same as in README.md: tests/docs/test_links.py",
    ("README.zh.md", "python"): "the same as in README.md: tests/docs/test_links.py",
}
OURS = {
    ("README.md", "python"), ("docs/tutorial.md", "python"), ("docs/how-to/field.md", "python"),
    ("docs/how-to/browse.md", "ini"), ("docs/how-to/browse.md", "nginx"), ("docs/how-to/column.md", "toml"),
    ("docs/how-to/install.md", "toml"), ("docs/how-to/mongodb.md", "js"), ("docs/how-to/schedule.md", "cron"),
    ("docs/how-to/schedule.md", "ini"), ("docs/how-to/template.md", "toml"),
}  # fmt: skip


def printed(page: str, language: str) -> list[str]:
    return [each.text for each in readme.blocks() if (each.page, each.language) == (page, language)]


def test_each_block_is_run_by_a_test() -> None:
    """Shell is in test_commands.py; `text` is output."""
    found = {
        (each.page, each.language)
        for each in readme.blocks()
        if each.language not in {"sh", "text"}
    }
    assert found == OURS | OTHERS.keys()


def test_from_a_crawl_to_a_dataframe(
    crawl: Crawl, command: Crawl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert crawl("article", url=REFERENCE).returncode == 0
    file = str(tmp_path / "august.parquet")
    done = command("export", file, "--since", "2017-08-01", "--until", "2017-08-31")
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    (short,) = readme.code("dataframe", "python")
    exec(short, {})
    assert TITLE in capsys.readouterr().out
    names: dict[str, Any] = {}
    for region in ("august", "people"):
        (block,) = readme.code(region, "python")
        exec(block, names)
    shown = capsys.readouterr().out
    assert "2017-08-12" in shown  # in China; the day before in UTC
    assert re.search(r"江帆 +1\n", shown)


def test_row_of_a_field() -> None:
    (block,) = printed("docs/how-to/field.md", "python")
    assert str(eval(block, {"Field": Field})) == "string"


def test_block_of_a_column_at_the_end_of_the_catalogue(tmp_path: Path) -> None:
    (block,) = printed("docs/how-to/column.md", "toml")
    known = load_catalogue()
    file = tmp_path / "columns.toml"
    catalogue = readme.ROOT / "zjolcrawl" / "site" / "columns.toml"
    file.write_text(f"{catalogue.read_text('utf-8')}\n{block}\n", "utf-8")
    (added,) = load_catalogue(file).keys() - known.keys()
    assert f"column={added}`" in (readme.ROOT / "docs" / "how-to" / "column.md").read_text()


def test_template_in_the_form_of_the_others() -> None:
    (block,) = printed("docs/how-to/template.md", "toml")
    table = tomllib.loads(block)
    assert table.keys() <= {field.name for field in fields(Template)}
    for given in table.values():
        assert len(paths(*given)) == len(given)


def test_own_file_has_settings_and_columns() -> None:
    """tests/test_wheel.py runs `zjolcrawl` with such a file."""
    (block,) = printed("docs/how-to/install.md", "toml")
    table = tomllib.loads(block)
    assert table.keys() == {"settings", "column"}
    added, switched = table["column"]
    assert added["id"] not in load_catalogue()
    assert load_catalogue()[switched["id"]].enabled
    assert switched["enabled"] is False


@pytest.mark.parametrize("page", ["docs/how-to/browse.md", "docs/how-to/schedule.md"])
def test_units_of_systemd(page: str) -> None:
    """Not started: that needs systemd. Their commands are those that other tests run."""
    for block in printed(page, "ini"):
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str
        unit.read_string(block)
        assert unit["Unit"]["Description"].startswith("zjolcrawl")
        if "Service" in unit:
            program, *arguments = unit["Service"]["ExecStart"].split()
            assert program == f"{unit['Service']['WorkingDirectory']}/.venv/bin/scrapy"
            assert arguments in (
                ["crawl", "column"],
                ["browse", "--base-url", "https://news.example.org/"],
            )
        else:
            assert unit["Timer"]["OnCalendar"] == "*:07"


def test_crontab_in_a_folder_without_data(tmp_path: Path) -> None:
    """The lines as sh runs them, with stubs for `scrapy` and `mail`."""
    (block,) = printed("docs/how-to/schedule.md", "cron")
    crawl, health = (
        re.fullmatch(r"(?:\S+ +){5}(.*)", line)[1].replace("/srv/zjolcrawl", str(tmp_path))
        for line in block.splitlines()
    )
    for name, script in {
        ".venv/bin/scrapy": 'echo "$@"; echo summary of "$@" >&2; exit 1',
        "bin/mail": 'echo "$@" > mailed; cat >> mailed',
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    for line in (crawl, health):
        subprocess.run(["/bin/sh", "-c", line], env=environment, check=False, capture_output=True)
    assert (tmp_path / "data" / "cron.log").read_text() == "summary of crawl column\n"
    assert (tmp_path / "mailed").read_text() == "-s zjolcrawl me\nhealth\n"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """HOST:PORT of a MongoDB that asks for the users that docs/how-to/mongodb.md creates."""
    (block,) = readme.code("users", "js")
    mongod = Mongod(tmp_path / "mongod")
    with mongod:
        with mongod.client() as client:
            for name, given in re.findall(
                r'getSiblingDB\("(\w+)"\)\.createUser\((.*)\)$', block, re.MULTILINE
            ):
                user = json.loads(re.sub(r"([{ ])(\w+):", r'\1"\2":', given))
                client[name].command(
                    "createUser", user["user"], pwd=user["pwd"], roles=user["roles"]
                )
        mongod.stop()
        mongod.start("--auth")
        yield mongod.uri.split("/")[2]


def test_users_may_do_what_the_page_says(guarded: str, site: SiteProxy, tmp_path: Path) -> None:
    lines = [
        line for block in printed("docs/how-to/mongodb.md", "sh") for line in block.splitlines()
    ]
    (line,) = [each for each in lines if "crawler:" in each]
    uri = line.split("'")[1].replace("db.example.org", guarded).replace("&tls=true", "")
    data = tmp_path / "data"
    done = scrapy("crawl", "article", "-a", f"url={REFERENCE}", site=site, data=data, uri=uri)
    assert done.returncode == 0, done.stderr
    reader = f"mongodb://reader:another@{guarded}/?authSource=zjol"
    shown = scrapy("article", REFERENCE, data=data, uri=reader)
    assert TITLE in shown.stdout, shown.stderr
    assert TITLE in scrapy("search", "督察", data=data, uri=reader).stdout
    with (
        MongoClient[dict[str, Any]](reader) as client,
        pytest.raises(Exception, match="not authorized"),
    ):
        client["zjol"]["articles"].delete_many({})
    refused = scrapy("article", REFERENCE, data=data, uri=reader.replace("another", "wrong"))
    assert refused.returncode == 2


@pytest.mark.skipif(
    not shutil.which("nginx", path="/usr/sbin:/usr/bin"), reason="nginx is not on this machine"
)
def test_browse_behind_nginx(mongodb_uri: str, database: str, tmp_path: Path) -> None:
    (block,) = readme.code("nginx", "nginx")
    port = free_port()
    (tmp_path / "users").write_text("me:{PLAIN}pass\n")
    write(tmp_path / "data", [Taken(REFERENCE, "2017-08-12T03:45:12Z")])
    with browsing(tmp_path / "data", mongodb_uri, database) as (web, _):
        assert web.get("/", headers={"Host": "news.example.org"}).status == 400
        server = (
            block.replace("listen 8080", f"listen 127.0.0.1:{port}")
            .replace("http://127.0.0.1:8017", web.url)
            .replace("/etc/nginx/zjolcrawl.htpasswd", f"{tmp_path}/users")
        )
        temporary = "".join(
            f"{name}_temp_path {tmp_path}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if Path.home() == Path("/root") else ""
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; {user} events {{}}\n"
            f"http {{ access_log off; {temporary}\n{server}\n}}"
        )
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
        running = subprocess.Popen(
            [str(nginx), "-c", f"{tmp_path}/nginx.conf", "-p", str(tmp_path)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            wait_until((tmp_path / "pid").exists, running)
            passwords = HTTPPasswordMgrWithDefaultRealm()
            passwords.add_password(None, f"http://127.0.0.1:{port}/", "me", "pass")
            opened = build_opener(HTTPBasicAuthHandler(passwords)).open(
                f"http://127.0.0.1:{port}/columns", timeout=LONG
            )
            assert opened.status == 200
            opened = build_opener(HTTPBasicAuthHandler(passwords)).open(
                f"http://127.0.0.1:{port}/web/timemap/link/{REFERENCE}", timeout=LONG
            )
            assert (
                f"<http://127.0.0.1:{port}/web/20170812034512/{REFERENCE}>"
                in opened.read().decode()
            )
            with pytest.raises(Exception, match="401"):
                build_opener().open(f"http://127.0.0.1:{port}/", timeout=LONG)
        finally:
            running.terminate()
            running.communicate()
