"""The template families of the site: XPaths for each field, from the TOML files that the site names.

A family is a file in site/templates; docs/site.md, "Another site", explains its keys.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any, TypeVar

from lxml.etree import XPathError
from lxml.html import Element

from zjolcrawl.messages import nearest
from zjolcrawl.parsing.xpath import Path, paths
from zjolcrawl.site.current import current_site, for_site
from zjolcrawl.site.description import Site, SiteError

_FALLBACK = "generic"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Template:
    """A template family: for each field, precompiled XPaths that are tried in order.

    `bodies` decides whether a page belongs to the family. If a field has no XPaths, or none finds
    anything, the shared rules read it (by labels and positions in the title block and the footer).
    `ambiguous_bodies`: the bodies' names also occur on other boxes, so a body counts only if it is
    not a list of links and no larger text lies outside it. `since` and `until` are the first and the
    last day of a look, by the day in the page's URL; a page without a day may belong to any.
    """

    name: str
    bodies: tuple[Path, ...] = ()
    titles: tuple[Path, ...] = ()
    times: tuple[Path, ...] = ()
    sources: tuple[Path, ...] = ()
    authors: tuple[Path, ...] = ()
    editors: tuple[Path, ...] = ()
    ambiguous_bodies: bool = False
    since: date = date.min
    until: date = date.max

    def covers(self, day: date | None) -> bool:
        """Whether a page with this day in its URL may have this look."""
        return day is None or self.since <= day <= self.until


@dataclass(frozen=True, slots=True)
class IssueTemplate:
    """XPaths on the pages of a digital paper's issue."""

    labels: tuple[Path, ...] = ()
    page_links: tuple[Path, ...] = ()
    page_rows: tuple[Path, ...] = ()
    title_links: tuple[Path, ...] = ()
    areas: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class PaperTemplate(Template):
    """The family of a digital paper's articles; a paper's article is recognised by its URL."""

    kickers: tuple[Path, ...] = ()
    subtitles: tuple[Path, ...] = ()
    pictures: tuple[Path, ...] = ()
    issue: IssueTemplate = IssueTemplate()


def _families(site: Site) -> tuple[Template, ...]:
    shared = site.template(_FALLBACK)
    tables = ((name, site.template(name)) for name in site.templates)
    found = tuple(
        _compiled(Template, name, {**table, **{k: shared[k] + table.get(k, []) for k in shared}})
        for name, table in tables
    )
    for each in found:
        if not each.bodies:
            raise SiteError(f"template {each.name}: bodies is missing, so no page would fit it")
    return found


def _generic(site: Site) -> Template:
    return _compiled(Template, _FALLBACK, site.template(_FALLBACK))


def _paper(site: Site) -> PaperTemplate:
    table = site.template(site.paper_template)
    issue = _compiled(IssueTemplate, "", table.pop("issue", {}))
    return _compiled(PaperTemplate, site.paper_template, {**table, "issue": issue})


_NO_PAGE = Element("html")
# The types of the values in a template's table that are not lists of XPaths.
_TYPES = {"ambiguous_bodies": bool, "since": date, "until": date, "issue": IssueTemplate}
families = for_site(_families)
"""The site's families in the order in which they are tried."""
generic_template = for_site(_generic)
"""The family of pages that fit no other."""
paper_template = for_site(_paper)
"""The family of digital papers."""


def template_names() -> list[str]:
    """The names of all families."""
    return [each.name for each in (*families(), generic_template(), paper_template())]


def check_templates() -> None:
    """Raise SiteError if a template of the site is missing or invalid, or an XPath of its lists."""
    for load in (families, generic_template, paper_template):
        load()
    lists = current_site().lists
    _paths([*lists.by_class, *lists.by_place], "lists")


def _compiled(cls: type[_T], name: str, table: dict[str, Any]) -> _T:
    """A template with its XPaths compiled. Raises SiteError for an unknown key or an invalid value."""
    values: dict[str, Any] = {"name": name} if name else {}
    known = [each.name for each in fields(cls) if each.name not in values]  # type: ignore[arg-type]
    for key, value in table.items():
        where = f"template {name or 'issue'}: {key}"
        if key not in known:
            near = nearest(key, known, 0.5)
            raise SiteError(f"{where} is unknown{f': did you mean {near}?' if near else ''}")
        if type(value) is not _TYPES.get(key, list):
            raise SiteError(f"{where} has the wrong type")
        values[key] = _paths(value, where) if isinstance(value, list) else value
    return cls(**values)


def _paths(expressions: list[Any], where: str) -> tuple[Path, ...]:
    """The XPaths compiled. Raises SiteError with the one that is none."""
    found: list[Path] = []
    for expression in expressions:
        try:
            (path,) = paths(expression)
        except (XPathError, TypeError) as error:
            raise SiteError(f"{where}: {expression!r} is not an XPath: {error}") from error
        if not isinstance(path(_NO_PAGE), list):
            raise SiteError(
                f"{where}: {expression!r} selects nothing: a child is written a/b, not a > b"
            )
        found.append(path)
    return tuple(found)
