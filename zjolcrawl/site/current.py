"""Says which site this process reads: zjol.com.cn, or the one that the setting SITE_FILE names."""

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


def current_site() -> Site:
    """The site in use. Without `use_site`, the environment variable SITE_FILE decides at the first call."""
    return _Chosen.site or use_site(os.environ.get("SITE_FILE", ""))


def use_site(file: str) -> Site:
    """Read the site that a file describes (empty: zjol.com.cn) from now on. Raises SiteError."""
    _Chosen.site = _loaded(file)
    return _Chosen.site


@cache
def _loaded(file: str) -> Site:
    return load_site(Path(file) if file else None)


def for_site(make: Callable[[Site], _T]) -> Callable[[], _T]:
    """A function that returns `make(current_site())`; it is made once for each site."""
    known = cache(make)
    return lambda: known(_Chosen.site or current_site())
