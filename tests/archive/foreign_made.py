"""WARC, ARC and WACZ files as other programs make them: by wget, by warcio, and by hand where no tool does."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.support.site import SiteProxy

WGET = Path("/usr/bin/wget")
FIXTURES = Path(__file__).parents[2] / "fixtures" / "T1"
AT = "2019-03-01T08:00:00Z"
"""When the captures of these files were taken, unless another time is given."""


def wget(site: SiteProxy, target: Path, urls: Iterable[str], *options: str) -> Path:
    """A WARC file of URLs by GNU Wget, through the test site's proxy; `target` without `.warc.gz`."""
    given = target.with_name("urls-for-wget.txt")
    given.write_text("\n".join(urls))
    subprocess.run(
        [WGET, "-q", f"--warc-file={target}", "-i", given, "-O", "/dev/null", "-t", "1", "--no-check-certificate", *options],
        env=site.environ, check=False, timeout=120,
    )  # fmt: skip
    packed = target.with_name(f"{target.name}.warc.gz")
    return packed if packed.exists() else target.with_name(f"{target.name}.warc")


def http(body: bytes, status: str = "HTTP/1.1 200 OK", **headers: str) -> bytes:
    """The bytes of an HTTP response; `Content_Type="text/html"` is a header."""
    lines = [status, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def warc_record(
    url: str, block: bytes, kind: str = "response", *, version: str = "WARC/1.0", **fields: str
) -> bytes:
    """An uncompressed WARC record; an empty field is left out."""
    usual = {
        "WARC-Type": kind, "WARC-Record-ID": f"<urn:test:{abs(hash((url, block, kind)))}>",
        "WARC-Date": AT, "WARC-Target-URI": url,
        "Content-Type": "application/http; msgtype=response", "Content-Length": str(len(block)),
    }  # fmt: skip
    given = {**usual, **{name.replace("_", "-"): value for name, value in fields.items()}}
    head = [version, *(f"{name}: {value}" for name, value in given.items() if value), "", ""]
    return "\r\n".join(head).encode() + block + b"\r\n\r\n"


def members(records: Iterable[bytes]) -> bytes:
    """Each record as a gzip member."""
    return b"".join(gzip.compress(each, mtime=0) for each in records)


def arc(records: Mapping[str, bytes], at: str = "20190301080000") -> list[bytes]:
    """The records of an ARC 1.0 file, the version block first (archive.org/web/researcher/ArcFileFormat.php)."""
    block = b"1 0 zjolcrawl tests\nURL IP-address Archive-date Content-type Archive-length\n"
    made = [f"filedesc://test.arc 0.0.0.0 {at} text/plain {len(block)}\n".encode() + block + b"\n"]
    for url, block in records.items():
        made.append(f"{url} 10.0.0.1 {at} text/html {len(block)}\n".encode() + block + b"\n")
    return made


def browser_made(pages: Mapping[str, tuple[str, bytes]], target: Path) -> Path:
    """A WARC file as Browsertrix makes it.

    Bodies are stored decoded under the browser's HTTP/2 status line. The first page comes as a `resource`
    record, every page again as a `revisit`, with the text of each as a `urn:` record.
    """
    with target.open("wb") as file:
        writer = WARCWriter(file, gzip=True, warc_version="WARC/1.1")
        for number, (url, (mime, body)) in enumerate(pages.items()):
            date = {"WARC-Date": f"2019-03-01T08:{number // 60:02}:{number % 60:02}.123Z"}
            if number == 0:
                writer.write_record(
                    writer.create_warc_record(
                        url, "resource", io.BytesIO(body), warc_content_type=mime,
                        warc_headers_dict=date,
                    )
                )  # fmt: skip
                continue
            headers = [("content-type", mime), ("content-encoding", "gzip"), (":status", "200")]
            first = writer.create_warc_record(
                url, "response", io.BytesIO(body), warc_headers_dict=date,
                http_headers=StatusAndHeaders("200", headers, protocol="HTTP/2"),
            )  # fmt: skip
            writer.write_record(first)
            again = writer.create_revisit_record(
                url, first.rec_headers["WARC-Payload-Digest"], url, date["WARC-Date"],
                http_headers=StatusAndHeaders("200 OK", headers[:1], protocol="HTTP/1.1"),
                warc_headers_dict={"WARC-Date": date["WARC-Date"].replace("2019", "2020")},
            )  # fmt: skip
            writer.write_record(again)
            text = writer.create_warc_record(f"urn:text:{url}", "resource", io.BytesIO(b"text"))
            writer.write_record(text)
    return target


def wacz(warcs: Iterable[Path], target: Path) -> Path:
    """A WACZ file by py-wacz."""
    command = [sys.executable, "-m", "wacz.main", "create", "-o", target, *warcs]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return target


def moment(text: str = AT) -> datetime:
    """A WARC-Date as a datetime."""
    return datetime.fromisoformat(text).astimezone(timezone.utc)
