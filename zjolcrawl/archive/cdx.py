"""Parses answers of CDX servers, which say what captures an archive has; without network.

Three dialects are told apart by their content, line by line:

    [["urlkey","timestamp",…],      Wayback's CDX server with output=json: a header, a row a line, at the
     ["cn,com,zjol)/","2017…",…],   end perhaps an empty row and a resume key
    {"urlkey": …, "url": …}         pywb and Common Crawl's index: one JSON object a line
    cn,com,zjol)/ 2017… http://…    plain CDX of 7, 9 or 11 fields, and CDXJ (`key timestamp {…}`)

Sources: internetarchive/wayback, wayback-cdx-server/README.md; pywb's CDXJ server API; commoncrawl/cc-index-server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

_PLAIN = {
    7: ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"),
    9: ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "redirect", "offset",
        "filename"),
    11: ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "redirect", "robotflags",
         "length", "offset", "filename"),
}  # fmt: skip
"""The fields of a plain line, by their number (https://iipc.github.io/warc-specifications/specifications/cdx-format/)."""
_STAMP = "%Y%m%d%H%M%S"
_NOTHING = "no captures found"  # the 404 of Common Crawl's index
_SHOWN = 80  # characters of a bad line in a message


class NotCdx(ValueError):
    """An answer that is no list of captures; the message says what it is instead."""


@dataclass(frozen=True, slots=True)
class Row:
    """One capture of an archive, as its index has it.

    `timestamp` has 14 digits, in UTC. `status` is None where the index has none (`-`, for a revisit). The
    last three locate the WARC record, if the index says where it is.
    """

    url: str
    timestamp: str
    status: int | None = None
    mime: str = ""
    digest: str = ""
    filename: str | None = None
    offset: int | None = None
    length: int | None = None

    @property
    def seen_at(self) -> datetime:
        """`timestamp` as an aware UTC datetime."""
        return datetime.strptime(self.timestamp, _STAMP).replace(tzinfo=timezone.utc)


@dataclass(slots=True)
class Listing:
    """One answer: its rows, the key for the rest, and a line for each row that cannot be read.

    `size` is the number of all rows, to compare with the limit that the request had.
    """

    rows: list[Row] = field(default_factory=list)
    resume_key: str | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.rows) + len(self.faults)


def stamp_of(moment: datetime) -> str:
    """A time as 14 digits in UTC."""
    utc = moment.astimezone(timezone.utc)
    return f"{utc.year:04}{utc:%m%d%H%M%S}"  # strftime does not fill years up


def moment_of(stamp: str) -> datetime:
    """14 digits as an aware UTC datetime. Raises ValueError if they are no time."""
    with suppress(ValueError):
        if re.fullmatch(r"\d{14}", stamp, re.ASCII):
            return datetime.strptime(stamp, _STAMP).replace(tzinfo=timezone.utc)
    raise ValueError(f"{stamp} is not a time such as 20170812034512")


def read_cdx(body: bytes) -> Listing:
    """The captures in an answer; an empty answer has none. Raises NotCdx."""
    text = body.decode("utf-8", "replace").strip().removeprefix("\ufeff")
    if text.startswith("<"):
        raise NotCdx("an HTML or XML page instead of CDX")
    listing = Listing()
    if text.startswith("["):
        _read_table(text, listing)
    elif text:
        _read_lines(text, listing)
    if listing.faults and not listing.rows:
        raise NotCdx(f"text that is no CDX ({listing.faults[0]})")
    return listing


def pages_of(body: bytes) -> int:
    """The number of pages in the answer to showNumPages=true, a number or {"pages": …}. Raises NotCdx."""
    try:
        answer = json.loads(body)
        return int(answer["pages"] if isinstance(answer, dict) else answer)
    except (ValueError, TypeError, KeyError, OverflowError):  # OverflowError: Infinity
        raise NotCdx("no number of pages") from None


def _read_table(text: str, listing: Listing) -> None:
    """Read Wayback's array of arrays into `listing`. Raises NotCdx if its end is missing."""
    if not text.endswith("]"):
        raise NotCdx("a list that is cut off")
    names: list[str] | None = None
    after_gap = False
    for line, row in _rows_of_table(text):
        if not isinstance(row, list) or not all(isinstance(each, str) for each in row):
            listing.faults.append(_bad(line))
        elif not row:
            after_gap = True
        elif after_gap:
            listing.resume_key = row[0]
        elif names is None:
            if "timestamp" not in row:
                raise NotCdx(f"a list without a header ({_bad(line)})")
            names = row
        else:
            _add(listing, line, dict(zip(names, row, strict=False)))


def _rows_of_table(text: str) -> Iterator[tuple[str, Any]]:
    """Each row with its text; None for a row that is no JSON. One bad row does not cost the others."""
    try:
        yield from ((json.dumps(row, ensure_ascii=False), row) for row in json.loads(text))
        return
    except (ValueError, RecursionError):
        lines = text[1:-1].splitlines()
    for line in filter(None, (each.strip().rstrip(",") for each in lines)):
        yield line, _json(line)


def _read_lines(text: str, listing: Listing) -> None:
    """Read one capture a line into `listing`; after an empty line comes the resume key."""
    rows, _, rest = text.replace("\r\n", "\n").partition("\n\n")
    listing.resume_key = rest.strip() or None
    for line in rows.split("\n"):
        if (values := _values_of(line)) is None:
            listing.faults.append(_bad(line))
        elif "timestamp" in values:
            _add(listing, line, values)
        elif message := values.get("message") or values.get("error"):
            if _NOTHING not in str(message).lower():
                raise NotCdx(f"the message {str(message)[:_SHOWN]!r}")
        else:
            listing.faults.append(_bad(line))


def _values_of(line: str) -> Mapping[str, Any] | None:
    """The named fields of a line, or None."""
    at = line.find("{")
    if at >= 0 and (at == 0 or line[at - 1] == " ") and line.endswith("}"):
        values = _json(line[at:])
        if not isinstance(values, dict):
            return None
        before = line[:at].split()
        return values if len(before) != 2 else {"timestamp": before[1], **values}
    parts = line.split()
    return dict(zip(_PLAIN[len(parts)], parts, strict=True)) if len(parts) in _PLAIN else None


def _add(listing: Listing, line: str, values: Mapping[str, Any]) -> None:
    try:
        listing.rows.append(_row(values))
    except (ValueError, TypeError, KeyError):
        listing.faults.append(_bad(line))


def _row(values: Mapping[str, Any]) -> Row:
    """The capture in the named fields of a row. Raises KeyError, ValueError, TypeError."""
    url = _first(values, "original", "url")
    row = Row(
        url=url or "",
        timestamp=str(values["timestamp"]),
        status=_number(_first(values, "statuscode", "status")),
        mime=(_first(values, "mimetype", "mime") or "").lower(),
        digest=(_first(values, "digest") or "").removeprefix("sha1:"),
        filename=_first(values, "filename"),
        offset=_number(_first(values, "offset")),
        length=_number(_first(values, "length")),
    )
    if not url or len(row.timestamp) != 14 or not row.timestamp.isdecimal():
        raise ValueError
    assert row.seen_at  # raises ValueError for a 31st of February
    return row


def _first(values: Mapping[str, Any], *names: str) -> str | None:
    """The first of these fields that has a value; `-` is none."""
    found: Iterable[Any] = (values.get(name) for name in names)
    return next((str(each) for each in found if each not in (None, "", "-")), None)


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _bad(line: str) -> str:
    return f"not a row of CDX: {line[:_SHOWN]}"
