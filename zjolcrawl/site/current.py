"""Says which site and which own columns this process uses: the settings SITE_FILE and COLUMNS_FILE."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from zjolcrawl.site.description import Site, load_site

_T = TypeVar("_T")


class _Chosen:
    site: Site | None = None
    columns: Path | None = None
    columns_known = False


def current_site() -> Site:
    """The site in use. Without `use_site`, the environment variable SITE_FILE decides at the first call."""
    return _Chosen.site or use_site(os.environ.get("SITE_FILE", ""))


def use_site(file: str) -> Site:
    """Read the site that a file describes (empty: zjol.com.cn) from now on. Raises SiteError."""
    _Chosen.site = _loaded(file)
    return _Chosen.site


def current_columns() -> Path | None:
    """The user's own columns file. Without `use_columns`, the environment variable COLUMNS_FILE names it."""
    if not _Chosen.columns_known:
        use_columns(os.environ.get("COLUMNS_FILE", ""))
    return _Chosen.columns


def use_columns(file: str) -> None:
    """Use the columns that a file adds and changes (empty: none) from now on; it is not read yet."""
    _Chosen.columns, _Chosen.columns_known = Path(file) if file else None, True


@cache
def _loaded(file: str) -> Site:
    return load_site(Path(file) if file else None)


def for_site(make: Callable[[Site], _T]) -> Callable[[], _T]:
    """A function that returns `make(current_site())`; it is made once for each site and columns file."""

    @cache
    def known(site: Site, columns: Path | None) -> _T:
        return make(site)

    return lambda: known(_Chosen.site or current_site(), current_columns())
