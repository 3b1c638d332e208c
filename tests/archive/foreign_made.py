"""WARC, ARC and WACZ files as other programs make them: by wget, by py-wacz, and by hand where no tool does."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path

from tests.support.site import SiteProxy

WGET = Path("/usr/bin/wget")
FIXTURES = Path(__file__).parents[2] / "fixtures" / "T1"
SAME = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
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
        "WARC-Type": kind, "WARC-Record-ID": f"<urn:test:{zlib.crc32(block + url.encode() + kind.encode())}>",
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


def digest(data: bytes) -> str:
    """A digest as warcio.js writes it, which Browsertrix and ArchiveWeb.page use."""
    return f"sha-256:{hashlib.sha256(data).hexdigest()}"


def browser_made(pages: Mapping[str, tuple[str, bytes]], target: Path) -> Path:
    """A WARC file as Browsertrix makes it.

    Bodies are stored decoded under the browser's own headers and HTTP/2 status line. The first page comes as
    a `resource` record; every other one again as a `revisit`, and its text as a `urn:` record.
    """
    made: list[bytes] = []
    for number, (url, (mime, body)) in enumerate(pages.items()):
        date = f"2019-03-01T08:{number // 60:02}:{number % 60:02}.123Z"
        if number == 0:
            made.append(
                warc_record(
                    url, body, "resource", Content_Type=mime, WARC_Block_Digest=digest(body)
                )
            )
            continue
        block = http(body, "HTTP/2 200", content_type=mime, content_encoding="gzip")
        told = {"version": "WARC/1.1", "WARC_Payload_Digest": digest(body)}
        made.append(
            warc_record(url, block, WARC_Date=date, WARC_Block_Digest=digest(block), **told)
        )
        again = {
            "WARC_Refers_To_Target_URI": url,
            "WARC_Refers_To_Date": date,
            "WARC_Profile": SAME,
        }
        block = http(b"", "HTTP/2 200", content_type=mime)
        later = date.replace("2019", "2020")
        made.append(warc_record(url, block, "revisit", WARC_Date=later, **again, **told))
        made.append(warc_record(f"urn:text:{url}", b"text", "resource", Content_Type="text/plain"))
    target.write_bytes(members(made))
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
