"""Crawler and archiver for the provincial news of 浙江在线 (Zhejiang Online, zjol.com.cn)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zjolcrawl.library import open_archive

__all__ = ["__version__", "open_archive"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import `open_archive` on first use, so that a crawl starts without loading it."""
    if name == "open_archive":
        from zjolcrawl.library import open_archive

        return open_archive
    raise AttributeError(name)
