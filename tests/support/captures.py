"""Makes an archive folder of given captures, as a run of ours would leave it."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from zlib import crc32

from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.warc import NOT_MODIFIED, SAME_PAYLOAD, digest, member, response_block

FILE = f"zjol-20240101000000000-{'a' * 24}-00001.warc.gz"
Headers = tuple[tuple[str, str], ...]
HTML: Headers = (("Content-Type", "text/html; charset=utf-8"),)


@dataclass(frozen=True, slots=True)
class Taken:
    """One capture; `at` is its WARC-Date. `of`: a revisit of that capture, `same=False` by a 304."""

    url: str
    at: str
    body: bytes = b"<p>text</p>"
    status: int = 200
    headers: Headers = HTML
    of: Taken | None = None

    @property
    def stamp(self) -> str:
        moment = datetime.fromisoformat(self.at).astimezone(timezone.utc)
        return moment.strftime("%Y%m%d%H%M%S")

    @property
    def record_id(self) -> str:
        return f"urn:uuid:{crc32(repr((self.url, self.at, self.status)).encode()):036}"

    @property
    def record(self) -> bytes:
        """The gzip member of its WARC record."""
        fields = [
            ("WARC-Date", self.at), ("WARC-Target-URI", self.url),
            ("Content-Type", "application/http; msgtype=response"),
        ]  # fmt: skip
        if self.of:
            profile = NOT_MODIFIED if self.status == 304 else SAME_PAYLOAD
            fields += [
                ("WARC-Profile", profile), ("WARC-Refers-To", f"<{self.of.record_id}>"),
                ("WARC-Refers-To-Target-URI", self.of.url), ("WARC-Refers-To-Date", self.of.at),
            ]  # fmt: skip
        if self.status != 304:
            fields.append(("WARC-Payload-Digest", digest(self.payload)))
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers]
        block = response_block(self.status, headers, b"" if self.of else self.body)
        return member(self.record_id, "revisit" if self.of else "response", fields, block, 6)

    @property
    def payload(self) -> bytes:
        """The body as it was received, also that of a revisit."""
        return self.of.payload if self.of else self.body


def zipped(url: str, at: str, body: bytes, kind: str = "text/html") -> Taken:
    """A capture whose body is compressed."""
    headers = (("Content-Type", kind), ("Content-Encoding", "gzip"))
    return Taken(url, at, gzip.compress(body, mtime=0), headers=headers)


def write(data: Path, captures: Sequence[Taken]) -> bytes:
    """Writes the captures to the archive of a DATA_DIR, with its index; returns the file."""
    folder = data / "warc"
    folder.mkdir(parents=True, exist_ok=True)
    content = warc(captures)
    (folder / FILE).write_bytes(content)
    with Archive(folder) as archive:
        assert not archive.faults, archive.faults
    return content


def warc(captures: Iterable[Taken]) -> bytes:
    """A WARC file of the captures."""
    return b"".join(each.record for each in captures)
