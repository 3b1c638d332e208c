"""Describes one news site: hosts, URL forms, lists and templates, read from a TOML file (docs/site.md)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from zjolcrawl.messages import cause_of, nearest

_T = TypeVar("_T")
BUNDLED = files("zjolcrawl.site")
_NEVER = "(?!)"
_EXPECTED = {tuple: 'a list, as in ["…"]', frozenset: 'a list, as in ["…"]', str: "a text in quotes",
             bool: "true or false", int: "a whole number"}  # fmt: skip
DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z\d_-]+\."  # of a host name
_types = cache(get_type_hints)  # as slow as reading the file: a catalogue has hundreds of entries


class SiteError(ValueError):
    """A file of a site is invalid; the message is one line that names the file and the key."""


def _checked(name: str, pattern: str) -> re.Pattern[str]:
    """The pattern of the field `name`. Raises SiteError if it is not a regular expression."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise SiteError(f"{name}: {pattern!r} is not a regular expression: {error}") from error


@dataclass(frozen=True, slots=True)
class ArticleForm:
    """One form of the URL path of an article.

    `path` has the groups stem, id, ext and, where the form has them, page, and the day as `day`
    (YYYYMMDD) or as y, m, d. `kind` is article or paper.
    """

    path: re.Pattern[str]
    kind: str = "article"

    def __post_init__(self) -> None:
        if missing := {"stem", "id", "ext"} - self.path.groupindex.keys():
            raise SiteError(f"path has no group {' or '.join(sorted(missing))}")
        if self.kind not in {"article", "paper"}:
            raise SiteError("kind must be article or paper")


@dataclass(frozen=True)
class MobileForm:
    """Mobile pages of articles: a `path`, and the article's `id` in a query `parameter`."""

    path: re.Pattern[str] = re.compile(_NEVER)
    parameter: str = "id"
    id: str = _NEVER

    def __post_init__(self) -> None:
        _checked("id", self.id)

    @cached_property
    def query(self) -> re.Pattern[str]:
        """The pattern of the parameter in a query; its group is the article's ID."""
        return re.compile(rf"(?:^|&){re.escape(self.parameter)}=({self.id})(?:&|$)")


@dataclass(frozen=True, slots=True)
class OtherHosts:
    """Hosts of an app's share pages or of videos; `video_path` are videos among the share pages."""

    hosts: frozenset[str] = frozenset()
    video_path: re.Pattern[str] = re.compile(_NEVER)


@dataclass(frozen=True, slots=True)
class PaperPageForm:
    """The URL path of a page of a digital paper's issue."""

    path: re.Pattern[str] = re.compile(_NEVER)


@dataclass(frozen=True, slots=True)
class Lists:
    """XPaths of the items of a column page's list: recognised by a class, or only by their place."""

    by_class: tuple[str, ...] = ()
    by_place: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """One site. `folder` has the files that it names: hosts, columns, papers (empty: none), templates."""

    folder: Traversable
    name: str
    domains: tuple[str, ...]
    article: tuple[ArticleForm, ...]
    image_domains: tuple[str, ...] = ()
    hosts: str = ""
    columns: str = ""
    papers: str = ""
    templates: tuple[str, ...] = ("TRS",)
    paper_template: str = "T5"
    title_words: tuple[str, ...] = ()
    keyword_place: str = ""
    day_in_url: str = _NEVER
    article_hint: re.Pattern[str] = re.compile(r"/t\d{8}_\d")
    paper_page: PaperPageForm = PaperPageForm()
    mobile: MobileForm = MobileForm()
    app: OtherHosts = OtherHosts()
    video: OtherHosts = OtherHosts()
    lists: Lists = field(default_factory=Lists)

    def __post_init__(self) -> None:
        if not self.domains:
            raise SiteError("domains is empty")
        for name in ("domains", "image_domains"):
            for domain in getattr(self, name):
                labels = domain.split(".")
                if len(labels) < 2 or not all(re.fullmatch(r"[a-z\d_-]{1,63}", x) for x in labels):
                    raise SiteError(f"{name}: {domain!r} is not a domain name in lower case")
        day = _checked("day_in_url", self.day_in_url)
        if self.day_in_url != _NEVER and day.groups != 3:
            raise SiteError("day_in_url must have three groups: year, month, day")

    @property
    def domain(self) -> str:
        """The domain to which short host names belong."""
        return self.domains[0]

    @property
    def label(self) -> str:
        """The domain's first label, zjol of zjol.com.cn: it is in keywords and in names of icons."""
        return self.domain.partition(".")[0]

    @cached_property
    def own(self) -> re.Pattern[str]:
        """Matches an http(s) URL on the site's domains or below, at the scheme's default port."""
        return _at(rf"(?:{_LABEL})*{_any_of(self.domains)}")

    @cached_property
    def images(self) -> re.Pattern[str]:
        """Matches an http(s) URL on a host below the image domains, at the scheme's default port."""
        return _at(rf"(?:{_LABEL})+{_any_of(self.image_domains)}")

    def host(self, name: str) -> str:
        """The host of a short name: zjnews.zjol.com.cn for zjnews. A name with a dot is a host itself."""
        return name if "." in name else f"{name}.{self.domain}"

    def short(self, host: str) -> str:
        """The short name of a host, the reverse of `host`."""
        return host.removesuffix(f".{self.domain}")

    def table(self, name: str) -> dict[str, Any]:
        """The content of a TOML file beside the site file, {} for an empty name. Raises SiteError."""
        return read_toml(self.folder / name) if name else {}

    def template(self, name: str) -> dict[str, Any]:
        """A family's table: templates/NAME.toml beside the site file, else the bundled one."""
        file = f"{name}.toml"
        own = self.folder / "templates" / file
        return read_toml(own if own.is_file() else BUNDLED / "templates" / file)


def load_site(path: Path | None = None) -> Site:
    """The site that a file describes; without a path, zjol.com.cn. Raises SiteError."""
    file: Traversable = path or BUNDLED / "zjol.toml"
    table = read_toml(file)
    folder = path.parent if path else BUNDLED
    return made(Site, {**table, "folder": folder}, file.name)


def read_toml(file: Traversable) -> dict[str, Any]:
    """The content of a TOML file. Raises SiteError if it is missing or invalid."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"{file} cannot be read: {cause_of(error, str(file))}") from error
    except tomllib.TOMLDecodeError as error:
        raise SiteError(f"{file.name}: {error}") from error


def made(cls: type[_T], table: Mapping[str, Any], where: str) -> _T:
    """An instance of a dataclass from a TOML table, its values converted to the types of the fields.

    Raises SiteError for an unknown key, a missing one or a wrong type; `where` begins its message.
    """
    known = {each.name: each for each in fields(cls)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            near = nearest(key, known, 0.6)
            hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
            raise SiteError(f"{where}: unknown key {key}: {hint}")
    for key, each in known.items():
        if key not in table and each.default is MISSING and each.default_factory is MISSING:
            raise SiteError(f"{where}: {key} is missing")
    hints = _types(cls)  # type: ignore[arg-type]  # a class is hashable
    values = {key: _value(hints[key], value, f"{where}: {key}") for key, value in table.items()}
    try:
        return cls(**values)
    except SiteError as error:
        raise SiteError(f"{where}: {error}") from None


def _value(hint: Any, value: Any, where: str) -> Any:
    """A value from TOML as the type of a field."""
    if isinstance(hint, UnionType):  # str | None: TOML has no null
        hint = get_args(hint)[0]
    kind = get_origin(hint) or hint
    if kind is re.Pattern and isinstance(value, str):
        try:
            return re.compile(value)
        except re.error as error:
            raise SiteError(f"{where} is not a regular expression: {error}") from error
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, dict):
        return made(kind, value, where)
    if kind in {tuple, frozenset} and isinstance(value, list):
        inner = get_args(hint)[0]
        return kind(_value(inner, each, where) for each in value)
    if isinstance(kind, type) and isinstance(value, kind):
        return value
    expected = _EXPECTED.get(kind)
    raise SiteError(f"{where} has the wrong type" + (f": expected {expected}" if expected else ""))


def _any_of(domains: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(map(re.escape, domains))})" if domains else _NEVER


def _at(host: str) -> re.Pattern[str]:
    """A pattern for the start of an http(s) URL at a host (also a pattern) and the default port."""
    plain, secure = (
        rf"{scheme}://{host}\.?(?::(?:{port})?)?" for scheme, port in DEFAULT_PORTS.items()
    )
    return re.compile(rf"(?:{plain}|{secure})(?:[/?#]|\Z)", re.ASCII | re.IGNORECASE)
