"""Cites a version of an article: GB/T 7714, BibTeX, RIS and CSL-JSON.

GB/T 7714-2015 (4.6, 8): `[EB/OL]` for news on the web, `[N/OL]` for pages of digital papers, up to three
authors, the date of publication in parentheses and that of access in brackets. GB/T 7714-2025, in force since
July 2026, has the same parts with Chinese punctuation and no date of access for newspapers; its text was not at
hand, so this follows the samples of the Zotero community's style (zotero-chinese/styles).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any
from urllib.parse import quote

from zjolcrawl.archive.cdx import stamp_of
from zjolcrawl.display.formatting import local, moment
from zjolcrawl.messages import one_line
from zjolcrawl.parsing.urls import kind
from zjolcrawl.storage.documents import url_of

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LONGEST = 500  # characters of a name or title
_MOST_AUTHORS = 100
_LONGEST_IDENTIFIER = 80
_URL = "!#$%&'()*+,/:;=?@[]~-._"
_TEX = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", **{each: f"\\{each}" for each in "%_&#$"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Citation:
    """What a reference says: each text is one line without control characters.

    `accessed` is the time of the capture of the version, `page` the page of a newspaper, `link` the address of
    the version in an archive that others can reach.
    """

    title: str
    authors: tuple[str, ...]
    source: str
    published: date | None
    url: str
    accessed: datetime
    sha256: str
    identifier: str
    page: str = ""
    is_paper: bool = False
    link: str = ""

    @property
    def stamp(self) -> str:
        """The time of the capture as 14 digits: with the URL, the stable name of the version."""
        return stamp_of(self.accessed)

    @property
    def day(self) -> date:
        """The day of access in China."""
        return local(self.accessed).date()


def citation(version: dict[str, Any], link: str = "") -> Citation:
    """The Citation of a version, a document of `articles` or `revisions`."""
    url = str(url_of(version))
    authors = dict.fromkeys(_line(each["name"]) for each in version.get("authors", ()))
    published = version.get("published_at")
    sha256 = str(version["content_sha256"])
    identifier = f"{version.get('site', '')}-{version.get('doc_id') or sha256[:8]}"[
        :_LONGEST_IDENTIFIER
    ]
    changed = version["changed_at"].astimezone(timezone.utc)
    return Citation(
        title=_line(version["title"]),
        authors=tuple(filter(None, authors))[:_MOST_AUTHORS],
        source=_line(version.get("source") or version.get("site_name") or version.get("site") or ""),
        published=local(published).date() if published else None,
        url=quote(url, safe=_URL, errors="replace"),
        accessed=changed,
        sha256=_line(sha256),
        identifier=f"{re.sub('[^A-Za-z0-9]+', '-', identifier)}-{stamp_of(changed)}",
        page=_line(version.get("page_number") or ""),
        is_paper=kind(url) == "paper",
        link=link,
    )  # fmt: skip


def gbt_2015(cited: Citation) -> str:
    """A reference of GB/T 7714-2015."""
    return _gbt(cited, ", ", ("(", ")"), accessed=True)


def gbt_2025(cited: Citation) -> str:
    """A reference of GB/T 7714-2025."""
    return _gbt(cited, "，", ("（", "）"), accessed=not cited.is_paper)


def _gbt(cited: Citation, comma: str, brackets: tuple[str, str], *, accessed: bool) -> str:
    def within(text: object) -> str:
        return f"{brackets[0]}{text}{brackets[1]}" if text else ""

    names = [*cited.authors[:3], *(["等"] if len(cited.authors) > 3 else [])]
    responsible = f"{comma.join(names)}. " if names else ""
    access = f"[{cited.day}]" if accessed else ""
    if cited.is_paper:
        parts = [cited.source, str(cited.published or "")]
        where = comma.join(filter(None, parts)) + within(cited.page) + access
    else:
        # The 2015 edition has the year after the publisher, and the day as that of the update.
        year = (
            str(cited.published.year) if cited.published and comma == ", " and cited.source else ""
        )
        where = comma.join(filter(None, [cited.source, year])) + within(cited.published) + access
    mark = "N/OL" if cited.is_paper else "EB/OL"
    note = f"存档版本 {moment(cited.accessed)}（北京时间）, SHA-256: {cited.sha256}."
    link = f" 存档: {cited.link}." if cited.link else ""
    return f"{responsible}{cited.title}[{mark}]. {where}. {cited.url}. {note}{link}\n"


def bibtex(cited: Citation) -> str:
    """A BibTeX entry in UTF-8, for BibTeX and biblatex."""
    day = cited.published
    place = "journal" if cited.is_paper else "howpublished"
    fields = {
        "author": " and ".join(f"{{{_tex(each)}}}" for each in cited.authors),
        "title": f"{{{_tex(cited.title)}}}",
        place: _tex(cited.source),
        "pages": _tex(cited.page) if cited.is_paper else "",
        "year": str(day.year) if day else "",
        "month": str(day.month) if day else "",
        "date": str(day or ""),
        # \url and biblatex take an address as it is.
        "url": cited.url,
        "urldate": str(cited.day),
        "note": _tex(_note(cited)),
        "language": "chinese",
    }
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items() if value]
    return f"@{'article' if cited.is_paper else 'misc'}{{{cited.identifier},\n{''.join(lines)}}}\n"


def ris(cited: Citation) -> str:
    """A RIS record, in UTF-8."""
    day = cited.published
    rows = [
        ("TY", "NEWS" if cited.is_paper else "ELEC"),
        ("ID", cited.identifier),
        *(("AU", each) for each in cited.authors),
        ("TI", cited.title),
        ("T2", cited.source),
        ("PY", str(day.year) if day else ""),
        ("DA", f"{day:%Y/%m/%d}" if day else ""),
        ("SP", cited.page if cited.is_paper else ""),
        ("UR", cited.url),
        ("Y2", f"{cited.day:%Y/%m/%d}"),
        ("LA", "zh"),
        ("N1", _note(cited)),
    ]
    lines = [f"{tag}  - {value}\r\n" for tag, value in rows if value]
    return f"{''.join(lines)}ER  - \r\n"


def csl(cited: Citation) -> str:
    """A CSL-JSON list with one item."""
    day = cited.published
    item = {
        "id": cited.identifier,
        "type": "article-newspaper" if cited.is_paper else "webpage",
        "title": cited.title,
        "author": [{"literal": each} for each in cited.authors],
        "container-title": cited.source,
        "issued": {"date-parts": [[day.year, day.month, day.day]]} if day else None,
        "page": cited.page if cited.is_paper else "",
        "URL": cited.url,
        "accessed": {"date-parts": [[cited.day.year, cited.day.month, cited.day.day]]},
        "archive_location": cited.link,
        "note": _note(cited),
        "language": "zh-CN",
    }
    return json.dumps([{k: v for k, v in item.items() if v}], ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Format:
    """A form of references: its name for people, the media type and suffix of its files, and what writes it."""

    name: str
    media_type: str
    suffix: str
    write: Callable[[Citation], str]


FORMATS = {
    "gbt7714-2025": Format("GB/T 7714—2025", "text/plain", ".txt", gbt_2025),
    "gbt7714-2015": Format("GB/T 7714—2015", "text/plain", ".txt", gbt_2015),
    "bibtex": Format("BibTeX", "application/x-bibtex", ".bib", bibtex),
    "ris": Format("RIS", "application/x-research-info-systems", ".ris", ris),
    "csl": Format("CSL-JSON", "application/vnd.citationstyles.csl+json", ".json", csl),
}


def _note(cited: Citation) -> str:
    link = f" at {cited.link}" if cited.link else ""
    return f"Version archived {cited.accessed:%Y-%m-%dT%H:%M:%SZ}{link}, content SHA-256 {cited.sha256}"


def _line(text: str) -> str:
    return one_line(_NOT_XML.sub(" ", text), _LONGEST)


def _tex(text: str) -> str:
    return "".join(_TEX.get(char, char) for char in text)
