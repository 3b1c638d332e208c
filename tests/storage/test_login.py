"""Why a server refuses a user: password, name, authentication database, rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.crawling import scrapy
from tests.support.mongod import Mongod

HOST_END = "127.0.0.1:"


@pytest.fixture(scope="module")
def uri_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], str]]:
    """`uri_of("name:password", "options")`: a URI of a server that requires a login."""
    folder = tmp_path_factory.mktemp("auth") / "db"
    with Mongod(folder) as server:
        for database, name, roles in (
            ("admin", "desk", [{"role": "readWrite", "db": "zjol"}]),
            ("zjol", "local", ["readWrite"]),
            ("admin", "reader", [{"role": "read", "db": "zjol"}]),
            ("admin", "stranger", [{"role": "readWrite", "db": "other"}]),
        ):
            with server.client() as client:
                client[database].command("createUser", name, pwd="p:a@s/s", roles=roles)
        server.stop()
        server._options = ("--auth",)
        server.start()
        base = server.uri.partition("://")[2]

        def made(login: str, options: str = "") -> str:
            return f"mongodb://{f'{login}@' if login else ''}{base}{options}"

        yield made


GOOD = "p%3Aa%40s%2Fs"


@pytest.mark.parametrize(
    "login, options, told",
    [
        ("desk:wrong", "", "refuses the password of user desk"),
        ("local:p%3Aa", "&authSource=zjol", "refuses the password of user local"),
        (f"nobody:{GOOD}", "", "has no user nobody in the authentication database admin: "),
        (f"nobody:{GOOD}", "&authSource=x", "has no user nobody in the authentication database x: "),
        (f"local:{GOOD}", "", "has no user local in the authentication database admin, but in zjol: "
                              "add authSource=zjol to the options of the URI"),
        (f"desk:{GOOD}", "&authSource=zjol", "but in admin: add authSource=admin"),
        (f"stranger:{GOOD}", "", "gives this user no right to "),
        ("", "", "requires a user: "),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["runs", "import"])
def test_each_cause_has_its_own_message(
    command: str, login: str, options: str, told: str, uri_of: Any, tmp_path: Path
) -> None:
    file = tmp_path / "none.jsonl"
    file.touch()
    arguments = [command, str(file)] if command == "import" else [command]
    done = scrapy(*arguments, data=tmp_path, uri=uri_of(login, options))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"zjolcrawl: MONGODB_URI mongodb://{HOST_END}"), line
    assert told in line
    assert not {"p:a", "%3A", "s/s", "%2F", "wrong", "a@s"} & set(line.split("://")[1].split("/"))


def test_reader_may_read_and_cannot_write(uri_of: Any, tmp_path: Path) -> None:
    uri = uri_of(f"reader:{GOOD}")
    assert scrapy("runs", data=tmp_path, uri=uri).stdout == "no runs\n"
    (tmp_path / "none.jsonl").touch()
    done = scrapy("import", str(tmp_path / "none.jsonl"), data=tmp_path, uri=uri)
    assert done.returncode == 2
    assert "on database zjol: grant the role readWrite there" in done.stderr
