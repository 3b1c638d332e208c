"""Responses from folders of recorded pages: `<root>/<host>/<path>`."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.support.site.messages import Answer, Request

INDEXES = ("index.shtml", "index.html", "index.htm")
# No charset for HTML: the site declares it in the page, and detecting it is the product's task.
CONTENT_TYPES = {
    ".shtml": "text/html",
    ".html": "text/html",
    ".htm": "text/html",
    ".txt": "text/plain",
    ".xml": "text/xml",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
}


def answer_from_files(roots: Sequence[Path], request: Request) -> Answer:
    """The file for the URL from the first root that has it, or a 304 or 404."""
    path = _find(roots, request)
    if path is None:
        return Answer(404, {"Content-Type": "text/html"}, b"<h1>404 Not Found</h1>\n")
    body = path.read_bytes()
    sidecar = _read_sidecar(path)
    headers: dict[str, str | None] = {
        "content-type": CONTENT_TYPES.get(path.suffix.partition("?")[0]),
        "etag": f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"',
        "last-modified": formatdate(path.stat().st_mtime, usegmt=True),
    }
    headers.update(sidecar.headers)
    if sidecar.status == 200 and _not_modified(request, headers):
        return Answer(304, {**headers, "content-type": None})
    return Answer(sidecar.status, headers, body)


def content_type(url: str) -> str:
    """The Content-Type that the suffix of the URL's path suggests; HTML if it has none known."""
    return CONTENT_TYPES.get(Path(urlsplit(url).path).suffix, "text/html")


@dataclass(frozen=True, slots=True)
class _Sidecar:
    """Response headers from the JSON file beside a page."""

    status: int
    headers: Mapping[str, str | None]
    """Lower-case names."""


def _read_sidecar(path: Path) -> _Sidecar:
    beside = _sidecar_path(path)
    content = json.loads(beside.read_bytes()) if beside.is_file() else {}
    # The file is mainly a golden document; headers are optional.
    if not isinstance(content, dict) or not isinstance(content.get("headers"), dict):
        return _Sidecar(200, {})
    headers = {name.lower(): value for name, value in content["headers"].items()}
    return _Sidecar(content.get("status", 200), headers)


def _sidecar_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _find(roots: Sequence[Path], request: Request) -> Path | None:
    # A host name is one folder name: anything else would leave the root.
    if "/" in request.host or request.host in (".", ".."):
        return None
    names = list(_candidates(request.url))
    for root in roots:
        site = (root / request.host).resolve()
        for name in names:
            path = (site / name).resolve()
            # Resolved: a symbolic link may lead to another host in the root, not out of it.
            if path.is_relative_to(root.resolve()) and path.is_file() and not _is_sidecar(path):
                return path
    return None


def _candidates(url: str) -> Iterator[str]:
    """Relative file names to try in order, those with the query first."""
    parts = urlsplit(url)
    # surrogateescape: an escaped byte that is not UTF-8 still names the file of that byte.
    path = unquote(parts.path, errors="surrogateescape")
    segments = [segment for segment in path.split("/") if segment]
    if "\0" in path or ".." in segments:
        return
    folder = not segments or path.endswith("/")
    names = ["/".join([*segments, index]) for index in INDEXES]
    if not folder:
        names.insert(0, "/".join(segments))
    if parts.query:
        yield from (f"{name}?{parts.query}" for name in names)
    yield from names


def _is_sidecar(path: Path) -> bool:
    return path.suffix == ".json" and path.with_suffix("").is_file()


def _not_modified(request: Request, headers: Mapping[str, str | None]) -> bool:
    """RFC 9110, 13.2.2: If-None-Match takes precedence."""
    if request.method not in ("GET", "HEAD"):
        return False
    etag, modified = headers["etag"], headers["last-modified"]
    if (wanted := request.headers.get("if-none-match")) is not None:
        known = [tag.strip().removeprefix("W/") for tag in wanted.split(",")]
        return etag is not None and ("*" in known or etag.removeprefix("W/") in known)
    since = request.headers.get("if-modified-since")
    if since is None or modified is None:
        return False
    try:
        return parsedate_to_datetime(modified) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        # An invalid date is ignored (RFC 9110, 13.1.3).
        return False
