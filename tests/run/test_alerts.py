"""Alarms by mail, received by an SMTP server on loopback."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest
from scrapy.settings import Settings

from zjolcrawl.run.alerts import send

LINES: list[str] = []


class _Smtp(socketserver.StreamRequestHandler):
    """The part of RFC 5321 that one mail needs."""

    def handle(self) -> None:
        self._say("220 here")
        data = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            LINES.append(line)
            if data:
                data = line != "."
                if not data:
                    self._say("250 taken")
            elif line.upper() == "DATA":
                data = True
                self._say("354 go on")
            elif line.upper() == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 well")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def port() -> Iterator[int]:
    LINES.clear()
    with socketserver.TCPServer(("127.0.0.1", 0), _Smtp) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_mail_says_what_is_wrong(port: int) -> None:
    settings = Settings(
        {
            "ALARM_MAIL": "desk@example.org", "MAIL_FROM": "zjolcrawl@example.org",
            "MAIL_HOST": "127.0.0.1", "MAIL_PORT": port,
        }
    )  # fmt: skip
    alarms = ["column zjxw lists nothing, 20 before: a login page", "浙江新闻"]
    assert send(settings, "zjolcrawl: one line", alarms) == []
    assert "rcpt to:<desk@example.org>" in map(str.lower, LINES)  # Python 3.13 writes it small
    said = "\n".join(LINES[LINES.index("data") + 1 : -2])
    mail = message_from_bytes(said.encode(), policy=policy.default)
    assert mail["Subject"] == "zjolcrawl: 2 alarms"
    assert mail.get_content().splitlines() == [*alarms, "", "zjolcrawl: one line"]


def test_without_a_target_nothing_is_sent() -> None:
    assert send(Settings({}), "", ["x"]) == []
